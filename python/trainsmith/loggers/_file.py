"""What the loggers to text files share: a line per epoch behind those that are there."""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from io import FileIO
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
    checkpoint and a line that was cut off are taken out. A line is with the operating system when its epoch ends.

    Args:
        path: the file; one that is there is replaced.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        # Open from one epoch to the next: opening costs more than writing a line.
        self._file: FileIO | None = None
        self._size = 0

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
        """Leaves the epochs so far in the file, and nothing else."""
        self._begin(loop)

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Adds the line of the new epoch."""
        row = record.to_dict()
        columns = list(row)
        if self._file is not None and columns == self._columns:
            self._append(self._file, self.line(row))
        elif self._file is not None and not self._columns:
            self._append(self._file, self.text([row]))
            self._columns = columns
        else:
            self._begin(loop)

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

    def _begin(self, loop: TrainingLoop) -> None:
        """Brings the file to the history, and opens it to go on behind that."""
        self._close()
        rows = [record.to_dict() for record in loop.history]
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
        content = self.text(rows).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not _begins_with(self.path, content):
                _replace(self.path, content)
            self._file, self._size = FileIO(self.path, "a"), len(content)
            self._file.truncate(self._size)
        except OSError as error:
            raise self._not_writable(error) from error

    def _append(self, file: FileIO, text: str) -> None:
        """Adds a text whole, or nothing."""
        content = text.encode()
        left = memoryview(content)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            with suppress(OSError):
                file.truncate(self._size)
            raise self._not_writable(error) from error
        self._size += len(content)

    def _not_writable(self, error: OSError) -> IoError:
        return worded(
            IoError,
            "log",
            f"file {shown(str(self.path))} must be writable",
            expected="a place with room to write",
            got=error.strerror or type(error).__name__,
            step="free some space, or choose another path",
        )


def _begins_with(path: Path, content: bytes) -> bool:
    if not content:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(content)) == content
    except FileNotFoundError:
        return False


def _replace(path: Path, content: bytes) -> None:
    """Writes a file that appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
