"""Writes a folder whole or not at all."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError

_OP = "save"
_HINT = "set run.output to another place"


def check_new(path: str | PathLike[str], *, overwrite: bool, marker: str) -> None:
    """Refuses a path that a new folder must not take.

    Args:
        path: the folder to be written.
        overwrite: whether it may replace an older folder of the same kind.
        marker: the file that shows the kind; without it only an empty folder is replaced.

    Raises:
        IoError: the path is taken; the message names the next free one.

    Example:
        >>> check_new("folder-that-does-not-exist", overwrite=False, marker="manifest.json")
    """
    path = Path(path)
    if not os.path.lexists(path):
        ancestor = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
        if ancestor.is_dir() and os.access(ancestor, os.W_OK):
            return
        raise _not_writable(path, f"{shown(str(ancestor))}, which is no folder that can be written to")
    ours = path.is_dir() and ((path / marker).is_file() or not any(path.iterdir()))
    if overwrite and ours:
        return
    free = next_free(path)
    raise worded(
        IoError,
        _OP,
        "an existing folder is not replaced" if ours else "only an older result can be replaced",
        expected="a free path",
        got=shown(str(path)),
        step=f"use --set run.output={free}" + (", or pass --overwrite" if ours else ""),
    )


def next_free(path: Path) -> Path:
    """Returns the path with the smallest number from 2 on appended that does not exist.

    Args:
        path: a path that is taken.

    Returns:
        A free path beside it.

    Example:
        >>> next_free(Path("folder-that-does-not-exist")).name
        'folder-that-does-not-exist-2'
    """
    number = 2
    while os.path.lexists(free := path.with_name(f"{path.name}-{number}")):
        number += 1
    return free


@contextmanager
def new_folder(
    path: str | PathLike[str], *, overwrite: bool, marker: str, hint: str = _HINT
) -> Generator[Path, None, None]:
    """Gives a temporary folder that becomes `path` when the block ends without an error.

    Every file is on the disk before the folder gets its name. After an error nothing is left behind.

    Args:
        path: the folder to be written; its parents are made.
        overwrite: whether it may replace an older folder of the same kind.
        marker: the file that shows the kind.
        hint: what to do where the folder cannot be written.

    Yields:
        The temporary folder, beside `path`.

    Raises:
        IoError: the path is taken, or the folder cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with new_folder(Path(place, "result"), overwrite=False, marker="a.txt") as folder:
        ...         _ = (folder / "a.txt").write_text("done")
        ...     print(Path(place, "result", "a.txt").read_text())
        done
    """
    path = Path(path).absolute()
    check_new(path, overwrite=overwrite, marker=marker)
    temporary = path.with_name(f".{path.name}.new-{os.getpid()}")
    replaced = path.with_name(f".{path.name}.old-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        for file in temporary.iterdir():
            _to_disk(file)
        _to_disk(temporary)
        check_new(path, overwrite=overwrite, marker=marker)
        if path.exists():
            path.rename(replaced)
        temporary.rename(path)
        _to_disk(path.parent)
        shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        if isinstance(error, IoError):
            raise
        raise _not_writable(path, error.strerror or type(error).__name__, hint) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if replaced.exists() and not path.exists():
            replaced.rename(path)


def _not_writable(path: Path, got: str, hint: str = _HINT) -> IoError:
    return worded(
        IoError,
        _OP,
        f"folder {shown(str(path))} must be writable",
        expected="a place with room to write",
        got=got,
        step=hint,
    )


def _to_disk(path: Path) -> None:
    """Waits until a file, or the entries of a folder, are on the disk, where the system can say so."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
