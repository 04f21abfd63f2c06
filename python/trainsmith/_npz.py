"""Tensors in NumPy's NPZ files."""

import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._dtypes import bfloat16
from trainsmith._exchange import words
from trainsmith._problem import problem
from trainsmith.errors import DTypeError, IoError


def save_npz(path: str | os.PathLike[str], tensors: Mapping[str, Tensor]) -> None:
    """Writes tensors to a NumPy NPZ file, which appears whole or not at all.

    Args:
        path: the file, under this very name; one that is there is replaced.
        tensors: by name; bfloat16 is not among NumPy's dtypes.

    Raises:
        DTypeError: a bfloat16 tensor.
        IoError: a place that cannot be written.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> import trainsmith as ts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.npz")
        ...     ts.save_npz(path, {"weight": ts.ones(2)})
        ...     with np.load(path) as file:
        ...         file["weight"].tolist()
        [1.0, 1.0]
    """
    narrow = [name for name, tensor in tensors.items() if tensor.dtype == bfloat16]
    if narrow:
        rule = "dtypes that NumPy knows; convert with x.float(), or use save_safetensors"
        raise problem(DTypeError, "save_npz", rule, f"bfloat16 in {narrow[0]!r}")
    final = Path(path)
    draft = final.with_name(f".{final.name}.{secrets.token_hex(4)}")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as file:
            for name, tensor in tensors.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, words(tensor), allow_pickle=False)
        draft.replace(final)
    except OSError as error:
        raise problem(IoError, "save_npz", "a place that can be written", f"{final}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def load_npz(path: str | os.PathLike[str], device: str = "cpu") -> dict[str, Tensor]:
    """Reads all arrays of a NumPy NPZ file. Nothing in the file is run: pickled objects are refused.

    Args:
        path: the file.
        device: of the tensors.

    Returns:
        The tensors by name.

    Raises:
        DeviceError: an unknown device.
        DTypeError: an array of complex numbers or text.
        IoError: a file that is missing, cut off, no NPZ file, or that holds pickled objects.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> import trainsmith as ts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "arrays.npz")
        ...     np.savez(path, bias=np.zeros(2))
        ...     ts.load_npz(path)
        {'bias': tensor([0., 0.], dtype=float64)}
    """
    try:
        # Not `np.load`: it takes a lone array, and a pickle, for an archive.
        with zipfile.ZipFile(path) as file:
            names = [name for name in file.namelist() if name.endswith(".npy")]
            arrays: dict[str, npt.NDArray[Any]] = {}
            for name in names:
                with file.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise problem(IoError, "load_npz", "an NPZ file of arrays", f"{os.fspath(path)}: {error}") from error
    return {name: asarray(array, device=device) for name, array in arrays.items()}
