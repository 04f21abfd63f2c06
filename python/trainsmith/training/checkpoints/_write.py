"""Writes one checkpoint."""

import hashlib
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import trainsmith as ts
from trainsmith.training._folder import new_folder
from trainsmith.training.checkpoints._tree import pack

FORMAT = "trainsmith-checkpoint"
VERSION = 1
MANIFEST = "manifest.json"
STATE = "state.json"
TENSORS = "tensors.safetensors"


def write_checkpoint(
    path: str | PathLike[str], state: Mapping[str, Any], *, facts: Mapping[str, Any] | None = None
) -> None:
    """Writes a state as a folder that appears whole or not at all.

    It holds `state.json`, `tensors.safetensors` and `manifest.json`, which has size and SHA-256 of the others and of
    itself. Every file is on the disk before the folder gets its name.

    Args:
        path: the folder; an older checkpoint there is replaced.
        state: plain values and tensors, nested.
        facts: entries of the manifest, such as `step`, which are read without the state.

    Raises:
        IoError: the place is taken by something else, cannot be written, or is full; nothing is left behind.
        DataError: a value that is neither plain nor a tensor.

    Example:
        >>> import tempfile
        >>> import trainsmith as ts
        >>> from trainsmith.training.checkpoints import read_checkpoint, write_checkpoint
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_checkpoint(f"{folder}/one", {"w": ts.ones(2), "step": 7})
        ...     read_checkpoint(f"{folder}/one").state["step"]
        7
    """
    values, tensors = pack(dict(state))
    text = json.dumps(values, allow_nan=False)
    with new_folder(path, overwrite=True, marker=MANIFEST, hint="free some space, or choose another folder") as folder:
        (folder / STATE).write_text(text, encoding="utf-8")
        ts.save_safetensors(folder / TENSORS, tensors)
        files = {name: {"bytes": (folder / name).stat().st_size, "sha256": file_hash(folder / name)} for name in FILES}
        manifest = {
            "format": FORMAT,
            "format_version": VERSION,
            "trainsmith": ts.__version__,
            **(facts or {}),
            "files": files,
        }
        manifest["sha256"] = manifest_hash(manifest)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


FILES = (STATE, TENSORS)


def file_hash(path: Path) -> str:
    """Returns the SHA-256 of a file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of a manifest's entries other than `sha256`.

    Args:
        manifest: the entries.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> manifest_hash({"step": 1}) == manifest_hash({"sha256": "x", "step": 1})
        True
    """
    entries = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
