"""Reads NumPy archives."""

import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError, IoError

_OP = "read_npz"


def read_npz(path: str | PathLike[str]) -> dict[str, npt.NDArray[Any]]:
    """Reads every array of an `.npz` archive.

    Args:
        path: the file.

    Returns:
        Array by name.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: the file is empty, no archive, cut short, or holds Python objects.

    Example:
        >>> import pathlib, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.npz")
        >>> np.savez(path, x=np.zeros((2, 3)))
        >>> {name: array.shape for name, array in read_npz(path).items()}
        {'x': (2, 3)}
        >>> folder.cleanup()
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("one bare array")
            with archive:
                return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise worded(
            IoError,
            _OP,
            "the data file must exist",
            expected="an .npz archive",
            got=shown(str(path)),
            step="check the path",
        ) from None
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.error) as error:
        raise worded(
            DataError,
            _OP,
            f"{path.name} must be a whole archive of arrays",
            expected="what numpy.savez writes, without Python objects",
            got=str(error).split("\n")[0] or type(error).__name__,
            step="write the file again",
        ) from None
    except OSError as error:
        raise worded(
            IoError,
            _OP,
            f"{shown(str(path))} must be readable",
            expected="an .npz archive",
            got=error.strerror or type(error).__name__,
            step="check the path and its permissions",
        ) from None
