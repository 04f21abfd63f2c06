"""What memory a captured step takes is known before it runs."""

import os

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import _core, nn, optim
from trainsmith.errors import DeviceError

GPU = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)
LARGEST = max((facts[5] for facts in _core.gpu_info()), default=0)
DEVICES = ["cpu", pytest.param("gpu", marks=GPU)]


@pytest.mark.parametrize("device", DEVICES)
def test_a_step_tells_its_memory_before_it_runs(device):
    model = nn.Linear(64, 32).to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @ts.compile
    def step(x):
        optimizer.zero_grad()
        loss = ts.sort(model(x)).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    x = ts.ones((128, 64), device=device)
    before = {name: np.asarray(value).copy() for name, value in model.state_dict().items()}
    ran = ts.debug.counters()["captured_steps"]
    memory = step.memory(x)
    assert ts.debug.counters()["captured_steps"] == ran
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.asarray(value), before[name])
    # The argument; weights and bias with two averages each.
    floats = 128 * 64 + 3 * (64 * 32 + 32)
    # Numbers such as the rate; a GPU keeps constants too, such as the zeros that the gradient of sorting begins with.
    others = 256 if device == "cpu" else 4 * 128 * 32 + 2048
    assert memory.device == device
    assert 4 * floats <= memory.given < 4 * floats + others
    # The product, and what sorting leaves: values and places.
    assert memory.working >= 4 * 128 * 32
    # The loss, and a flag or two of the checks.
    assert 4 <= memory.results <= 64
    assert memory.total == memory.given + memory.results + memory.working
    assert step.memory(x) == memory
    assert np.isfinite(float(step(x)))
    assert len(step.plans) == 1


@GPU
def test_a_step_that_is_too_large_tells_its_memory_and_work_goes_on():
    step = ts.compile(lambda x: ts.cumulative_sum(ts.sort(ts.cumulative_sum(x, axis=1), axis=0), axis=1).sum())
    x = ts.ones((4096, 7168), device="gpu")
    memory = step.memory(x)
    if memory.working <= LARGEST:
        pytest.skip("this GPU has room for the step")
    with pytest.raises(DeviceError, match=r"the step takes .* to work in"):
        step(x)
    assert float(ts.sum(ts.ones(3, device="gpu"))) == 3.0
