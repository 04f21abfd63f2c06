"""A GPU whose memory is full: one error, nothing lost, and the process goes on."""

import os
import subprocess
import sys

import pytest

import trainsmith as ts

pytestmark = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)

FULL = """
import numpy as np, trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import DeviceError

def refused(function, *words):
    try:
        function()
    except DeviceError as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError("no error")

kept = [ts.zeros((1 << 20,), device="gpu")]
def fill():
    while True:
        kept.append(kept[0] + 1)
refused(fill, "add", "room in the GPU's memory", "smaller batch", "4194304 bytes",
        "TRAINSMITH_GPU_MEMORY allows 67108864")
assert 10 <= len(kept) <= 16, len(kept)
assert float(kept[-1][7]) == 1.0
del kept[2:]
assert float(ts.sum(kept[0] + 2)) == 2 << 20
del kept[:]

ts.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 1)).to("gpu")
optimizer = optim.AdamW(model.parameters(), lr=1e-3)

@ts.compile
def step(x):
    optimizer.zero_grad()
    loss = ts.mean(model(x) ** 2)
    loss.backward()
    optimizer.step()
    return loss

small = ts.ones((32, 64), device="gpu")
step(small)
before = [np.asarray(value).copy() for value in model.state_dict().values()]
refused(lambda: step(ts.ones((30_000, 64), device="gpu")), "compile", "room in the GPU's memory")
for value, expected in zip(model.state_dict().values(), before):
    np.testing.assert_array_equal(np.asarray(value), expected)
assert {state["step"] for state in optimizer.state_dict()["state"].values()} == {1}
assert np.isfinite(float(step(small)))
refused(lambda: ts.zeros((1 << 29,), device="gpu"), "tensors of at most", "split it")
assert np.isfinite(float(step(small)))
print("went on")
"""


def run(code, **variables):
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, timeout=300
    )


def test_a_full_memory_is_one_error_and_work_goes_on():
    done = run(FULL, TRAINSMITH_GPU_MEMORY=str(64 << 20))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "went on\n"


def test_a_limit_that_is_no_number_is_refused():
    done = run("import trainsmith as ts\nts.ones(3, device='gpu')", TRAINSMITH_GPU_MEMORY="2GB")
    assert done.returncode == 1
    assert "TRAINSMITH_GPU_MEMORY: expected a number of bytes" in done.stderr
