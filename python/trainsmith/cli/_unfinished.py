"""The state of a run that is not finished, in a folder beside its output."""

import json
import os
import shutil
from pathlib import Path

from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError
from trainsmith.training import CheckpointConfig
from trainsmith.training._artefact import MANIFEST

CONFIG = "config.toml"
_PARTS = 20


class Unfinished:
    """The checkpoints of the run that writes an output folder.

    Args:
        output: that folder; the checkpoints go to a folder beside it, whose name ends in `.checkpoints`.

    Example:
        >>> Unfinished(Path("runs/a")).folder.name
        'a.checkpoints'
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(f"{output.name}.checkpoints")

    def checkpoints(self, epochs: int) -> CheckpointConfig:
        """Returns when to write checkpoints: about twenty times in a run, and when it ends.

        Args:
            epochs: of the whole run.
        """
        return CheckpointConfig(folder=str(self.folder), every_epochs=max(1, epochs // _PARTS), top_k=0)

    def begin_anew(self, *, overwrite: bool) -> None:
        """Removes what an earlier run left.

        Args:
            overwrite: whether that is allowed.

        Raises:
            IoError: there is something, and it is not allowed; or the folder is none of ours.
        """
        if not self.folder.exists():
            return
        if not overwrite or not (self.folder / CONFIG).is_file():
            raise worded(
                IoError,
                "train",
                "a new run must not replace an unfinished one",
                expected=f"no folder {shown(str(self.folder))}",
                got="the state of a run",
                step="pass --resume to go on with it, or --overwrite to begin anew",
            )
        self.forget()

    def keep_config(self, text: str) -> None:
        """Writes the configuration beside the checkpoints, from which `trainsmith resume` goes on.

        Args:
            text: its content.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{CONFIG}.new-{os.getpid()}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.folder / CONFIG)

    def left_result(self) -> bool:
        """Says whether the output is that of the unfinished run, which may be replaced when it goes on."""
        manifest = self.output / MANIFEST
        try:
            return json.loads(manifest.read_text(encoding="utf-8"))["status"] == "interrupted" and self.folder.exists()
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def forget(self) -> None:
        """Removes the checkpoints."""
        shutil.rmtree(self.folder, ignore_errors=True)
