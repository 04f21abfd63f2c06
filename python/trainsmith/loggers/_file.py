"""What the loggers to text files share: the whole file at the start, one line per epoch from then on."""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError
from trainsmith.training import EpochRecord, TrainingResult
from trainsmith.training.loop import Callback, TrainingLoop


class FileLogger(Callback, ABC):
    """The base of loggers that write one text file.

    The file holds exactly the epochs of the run's history: when a run goes on from a checkpoint, epochs after the
    checkpoint are taken out.

    Args:
        path: the file; one that is there is replaced.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)

    @abstractmethod
    def text(self, rows: list[dict[str, Any]]) -> str:
        """Writes rows.

        Args:
            rows: value by column.

        Returns:
            The whole content of a file with these rows.
        """

    def on_fit_start(self, loop: TrainingLoop) -> None:
        """Writes the file with the epochs so far."""
        self._whole(loop)

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Writes the file with the new epoch."""
        self._whole(loop)

    def on_fit_end(self, loop: TrainingLoop, result: TrainingResult) -> None:
        """Writes the file with all epochs."""
        self._whole(loop)

    def _whole(self, loop: TrainingLoop) -> None:
        temporary = self.path.with_name(f".{self.path.name}.new-{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(self.text([record.to_dict() for record in loop.history]), encoding="utf-8")
            temporary.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise worded(
                IoError,
                "log",
                f"file {shown(str(self.path))} must be writable",
                expected="a place with room to write",
                got=error.strerror or type(error).__name__,
                step="free some space, or choose another path",
            ) from error
