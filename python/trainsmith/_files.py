"""Tensors in safetensors files."""

import os
from collections.abc import Mapping

from trainsmith import _core
from trainsmith._core import Tensor


def save_safetensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes tensors to a safetensors file, which appears whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        tensors: by name.
        metadata: text to keep beside them.

    Raises:
        IoError: a place that cannot be written.

    Example:
        >>> import os, tempfile
        >>> import trainsmith as ts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     ts.save_safetensors(path, {"weight": ts.ones(2)})
        ...     ts.load_safetensors(path)["weight"].tolist()
        [1.0, 1.0]
    """
    _core.save_safetensors(os.fspath(path), list(tensors.items()), list((metadata or {}).items()))


def load_safetensors(path: str | os.PathLike[str], device: str = "cpu") -> dict[str, Tensor]:
    """Reads all tensors of a safetensors file. Nothing in the file is run.

    Args:
        path: the file.
        device: of the tensors.

    Returns:
        The tensors by name.

    Raises:
        DeviceError: an unknown device.
        IoError: a file that is missing, cut off, or no safetensors file.

    Example:
        >>> import os, tempfile
        >>> import trainsmith as ts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     ts.save_safetensors(path, {"bias": ts.zeros(1)})
        ...     list(ts.load_safetensors(path))
        ['bias']
    """
    return _core.load_safetensors(os.fspath(path), device)[0]
