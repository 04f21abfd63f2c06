"""The workloads of the training benchmark give the losses of the CPU on a GPU, in few dispatches."""

import os
import sys
from pathlib import Path

import pytest

import trainsmith as ts

pytestmark = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)

BENCH = Path(__file__).resolve().parents[1] / "benches" / "training"
# `TRAINSMITH_GPU_STEPS=30 pytest tests/test_gpu_workloads.py` is the long form; a GPU that is a program takes an hour.
STEPS = {"tiny_mlp": 30, "tabular_mlp": 30, "mnist_mlp": 8, "wide_mlp": 1, "gpt": 2, "cnn": 3, "lstm": 4}
# Dispatches of a captured step, which more kernels in one plan must not raise unseen.
MOST = {"tiny_mlp": 15, "tabular_mlp": 15, "mnist_mlp": 16, "wide_mlp": 16, "gpt": 120, "cnn": 25, "lstm": 330}


@pytest.fixture
def bench(monkeypatch):
    """The benchmark's modules, which import each other by name."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield
    for name in ("workloads", "trainsmith_steps"):
        sys.modules.pop(name, None)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", STEPS)
def test_a_workload_trains_as_on_the_cpu(bench, name):
    import trainsmith_steps
    from workloads import WORKLOADS

    steps = int(os.environ.get("TRAINSMITH_GPU_STEPS", STEPS[name]))
    workload = WORKLOADS[name]
    weights, x, y = workload.arrays()
    losses, dispatches = {}, []
    for device in ("cpu", "gpu"):
        step = trainsmith_steps.make_step(workload, weights, *trainsmith_steps.tensors(x, y, device), "captured")
        losses[device] = []
        for _ in range(steps):
            before = ts.debug.counters()["gpu_dispatches"]
            losses[device].append(float(step()))
            dispatches.append(ts.debug.counters()["gpu_dispatches"] - before)
    apart = max(abs(a - b) for a, b in zip(losses["cpu"], losses["gpu"], strict=True)) / abs(losses["cpu"][0])
    print(f"{name}: {steps} steps, {apart:.1e} of the first loss apart, {dispatches[-1]} dispatches")
    assert apart <= 1e-4
    assert 0 < dispatches[-1] <= MOST[name]
