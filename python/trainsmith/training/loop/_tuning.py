"""Which table chose the kernels of a run's GPU: the same table gives the same bits, another may not."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import trainsmith as ts
from trainsmith import _core
from trainsmith.data._wording import shown


class TuningWarning(UserWarning):
    """A run goes on by another table of GPU kernels than it had; its bits may differ from an uninterrupted run's."""


def tables_of(tensors: Iterable[Any]) -> dict[str, str]:
    """Names the tables of the GPUs that hold some tensors.

    Args:
        tensors: what lies on CPUs, and what is no tensor, counts nothing.

    Returns:
        Device and its table: `shipped`, or the hash of one that `trainsmith tune` measured.

    Example:
        >>> import trainsmith as ts
        >>> tables_of([ts.ones(1)])
        {}
    """
    devices = {tensor.device for tensor in tensors if isinstance(tensor, ts.Tensor)}
    return {device: _core.gpu_table(device) for device in sorted(devices) if device.startswith("gpu")}


def compare_tables(then: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Warns where a GPU chooses its kernels by another table than when a checkpoint was written.

    Args:
        then: the tables of the checkpoint.
        now: those of this process.
    """
    for device, table in now.items():
        if then.get(device, table) != table:
            warnings.warn(
                f"resume: expected the table of kernels with which the run began on {device}, {shown(then[device])}, "
                f"got {shown(table)}; the run goes on, but its bits may differ from those of an uninterrupted one. To "
                "keep them, put the old table back, or set TRAINSMITH_CACHE_DIR to a directory that has it",
                TuningWarning,
                stacklevel=2,
            )
