"""What a machine without a GPU, a forked child and a tensor beyond the limits say: one clear error each."""

import os
import subprocess
import sys

import pytest

import trainsmith as ts

GPU = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)


def run(script, **environment):
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_driver_the_error_says_what_to_install_and_work_goes_on():
    script = """
import trainsmith as ts
from trainsmith.errors import DeviceError
try:
    ts.ones(2, device="gpu")
except DeviceError as error:
    print(error)
print(ts.devices(), float(ts.sum(ts.ones(3))))
"""
    nowhere = os.path.join(os.sep, "nowhere", "driver.json")
    said = run(script, VK_DRIVER_FILES=nowhere, VK_ICD_FILENAMES=nowhere, WGPU_BACKEND="vulkan")
    assert "mesa-vulkan-drivers" in said
    assert "gpu" not in said.splitlines()[-1]
    assert said.endswith("3.0\n")


@GPU
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_is_told_to_be_spawned():
    script = """
import os, warnings
import trainsmith as ts
from trainsmith.errors import DeviceError
warnings.simplefilter("ignore")
held = ts.ones(3, device="gpu")
float(ts.sum(held))
child = os.fork()
if child == 0:
    try:
        ts.sum(held)
    except DeviceError as error:
        print(error, flush=True)
        os._exit(7)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(float(ts.sum(held)))
"""
    said = run(script)
    assert "spawn" in said
    assert said.endswith("3.0\n")


@GPU
def test_a_tier_that_the_gpu_lacks_is_refused():
    script = """
import trainsmith as ts
from trainsmith.errors import TrainsmithError
try:
    ts.ones(2, device="gpu")
except TrainsmithError as error:
    print(error)
"""
    assert "t0, t1, t2 or t3" in run(script, TRAINSMITH_GPU_CAPS="t9")
