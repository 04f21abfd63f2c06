"""What the loggers to text files share: the whole file at the start, one line per epoch from then on."""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

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
        self._columns: list[str] = []
        # Open from one epoch to the next: opening costs more than writing a line.
        self._file: TextIO | None = None

    @abstractmethod
    def text(self, rows: list[dict[str, Any]]) -> str:
        """Writes rows.

        Args:
            rows: value by column.

        Returns:
            The whole content of a file with these rows.
        """

    @abstractmethod
    def line(self, row: dict[str, Any]) -> str:
        """Writes a row behind others with the same columns.

        Args:
            row: value by column.

        Returns:
            Its line.
        """

    def on_fit_start(self, loop: TrainingLoop) -> None:
        """Writes the file with the epochs so far, whole or not at all."""
        self._whole(loop)

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Adds the line of the new epoch."""
        row = record.to_dict()
        if self._file is None or list(row) != self._columns:
            self._whole(loop)
            return
        try:
            self._file.write(self.line(row))
            self._file.flush()
        except OSError as error:
            raise self._not_writable(error) from error

    def on_fit_end(self, loop: TrainingLoop, result: TrainingResult) -> None:
        """Closes the file."""
        self._close()

    def on_exception(self, loop: TrainingLoop, error: BaseException) -> None:
        """Closes the file."""
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _whole(self, loop: TrainingLoop) -> None:
        self._close()
        rows = [record.to_dict() for record in loop.history]
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
        temporary = self.path.with_name(f".{self.path.name}.new-{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(self.text(rows), encoding="utf-8")
            temporary.replace(self.path)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> IoError:
        return worded(
            IoError,
            "log",
            f"file {shown(str(self.path))} must be writable",
            expected="a place with room to write",
            got=error.strerror or type(error).__name__,
            step="free some space, or choose another path",
        )
