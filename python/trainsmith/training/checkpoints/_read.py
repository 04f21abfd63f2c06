"""Reads one checkpoint, after checking that every byte is the one that was written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

import trainsmith as ts
from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError
from trainsmith.training.checkpoints._tree import unpack
from trainsmith.training.checkpoints._write import (
    FILES,
    FORMAT,
    MANIFEST,
    STATE,
    TENSORS,
    VERSION,
    file_hash,
    manifest_hash,
)


class CheckpointWarning(UserWarning):
    """A checkpoint that is damaged and was passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint that was read.

    Args:
        path: its folder.
        manifest: facts such as `step`, `epoch` and `metric`.
        state: the state that was written.

    Example:
        `write_checkpoint` shows one.
    """

    path: Path
    manifest: Mapping[str, Any]
    state: dict[str, Any]


def read_manifest(path: str | PathLike[str]) -> dict[str, Any]:
    """Reads the manifest of a checkpoint and checks it against its own hash.

    Args:
        path: the folder.

    Returns:
        Its entries.

    Raises:
        IoError: there is none, it is damaged, or it is of another format.
    """
    folder = Path(path)
    try:
        found: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(folder, f"{MANIFEST}: {error}") from error
    manifest = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    if manifest.get("sha256") != manifest_hash(manifest):
        raise damaged(folder, f"{MANIFEST} with another hash")
    if (manifest.get("format"), manifest.get("format_version")) != (FORMAT, VERSION):
        raise worded(
            IoError,
            "checkpoint",
            f"{folder.name} must have a known format",
            expected=f"{FORMAT} {VERSION}",
            got=f"{manifest.get('format')} {manifest.get('format_version')}",
            step="use the trainsmith version that wrote it",
        )
    return manifest


def read_checkpoint(path: str | PathLike[str]) -> Checkpoint:
    """Reads a checkpoint. Nothing in it is run.

    Args:
        path: the folder that `write_checkpoint` wrote.

    Returns:
        Its manifest and state; tensors are on the CPU.

    Raises:
        IoError: a file is missing, cut off or changed.

    Example:
        >>> read_checkpoint("no-such-folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        trainsmith.errors.IoError: checkpoint: no-such-folder must be whole; expected the files as they were written...
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    for name in FILES:
        want, file = manifest["files"][name], folder / name
        if not file.is_file():
            raise damaged(folder, f"no {name}")
        if file.stat().st_size != want["bytes"]:
            raise damaged(folder, f"{name} of {file.stat().st_size} bytes instead of {want['bytes']}")
        if file_hash(file) != want["sha256"]:
            raise damaged(folder, f"{name} with another hash")
    tensors = ts.load_safetensors(folder / TENSORS)
    state = unpack(json.loads((folder / STATE).read_text(encoding="utf-8")), tensors)
    return Checkpoint(path=folder, manifest=manifest, state=state)


def damaged(folder: Path, what: str) -> IoError:
    """Words the error of a checkpoint that is not as it was written.

    Args:
        folder: the checkpoint.
        what: what is wrong with it.

    Returns:
        The error.
    """
    return worded(
        IoError,
        "checkpoint",
        f"{folder.name} must be whole",
        expected="the files as they were written",
        got=what if len(what) < 120 else shown(what),
        step="use an older checkpoint",
    )
