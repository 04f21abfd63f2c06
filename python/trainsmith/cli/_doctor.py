"""`trainsmith doctor`: which GPUs there are, whether they compute what the CPU computes, and what to do if not."""

import platform
import time
from argparse import ArgumentParser, Namespace

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith import _core
from trainsmith.errors import TrainsmithError

_REMEDY = {
    "Linux": "install the Vulkan driver of the card (Debian and Ubuntu: mesa-vulkan-drivers and libvulkan1 for AMD and "
    "Intel; the vendor's package for NVIDIA) and check it with vulkaninfo",
    "Darwin": "Metal is part of macOS; check that the process may use the graphics card",
    "Windows": "install the card vendor's current driver, which brings Vulkan and DX12",
}


def add_doctor(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith doctor`.

    Args:
        parser: the sub-command's parser.
    """
    parser.set_defaults(run=doctor)


def doctor(arguments: Namespace) -> int:
    """Runs `trainsmith doctor`.

    Args:
        arguments: none.

    Returns:
        The exit code: 0 where every GPU passes its test or there is none, else 2.
    """
    del arguments
    print(f"trainsmith {ts.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(f"cpu: {_core.num_threads()} threads")
    gpus = _core.gpu_info()
    if not gpus:
        print(f"gpu: none with a driver; {_REMEDY.get(platform.system(), 'install a Vulkan driver')}")
        return 0
    failed = False
    for number, (name, driver, interface, tier, software, largest) in enumerate(gpus):
        device = "gpu" if number == 0 else f"gpu:{number}"
        kind = "a program on the CPU" if software else "hardware"
        print(f"{device}: {name}, {interface}, driver {driver}, {kind}")
        print(f"  tier {tier}, tensors of up to {largest >> 20} MiB")
        try:
            print(f"  choice of kernels: {_table(device)}")
            print(f"  self-test: {_self_test(device)}")
        except TrainsmithError as error:
            print(f"  self-test: failed: {error}")
            failed = True
    return 2 if failed else 0


def _table(device: str) -> str:
    table = _core.gpu_table(device)
    if table == "shipped":
        return "as shipped; trainsmith tune measures what is fastest here"
    return f"table {table}"


def _self_test(device: str) -> str:
    """Compares a product, a fold and a function with the CPU's.

    Raises:
        TrainsmithError: the device cannot be opened, or gives other numbers.
    """
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(96, 96)).astype("float32") for _ in range(2))

    def compute(place: str) -> npt.NDArray[np.float32]:
        a, b = ts.asarray(x, device=place), ts.asarray(y, device=place)
        return np.asarray(ts.sum(ts.tanh(ts.matmul(a, b)), axis=1))

    off = float(np.abs(compute(device) - compute("cpu")).max())
    if not off < 1e-3:
        raise TrainsmithError(
            f"doctor: expected the CPU's numbers, got ones that differ by {off:.3g}; update the driver"
        )
    return f"passed in {time.perf_counter() - start:.1f} s, off by at most {off:.1g}"
