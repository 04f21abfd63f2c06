"""History as a CSV file."""

import csv
from os import PathLike
from typing import Any, cast

from trainsmith.loggers._file import FileLogger


class CsvLogger(FileLogger):
    """Keeps a CSV file with one line per epoch.

    Numbers have as many digits as bring them back exactly; what does not exist is empty.

    Args:
        path: the file; one that is there is replaced.

    Raises:
        IoError: in a run, a file that cannot be written.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.training import Arrays, WorkflowConfig, fit
        >>> x = np.ones((8, 1), dtype="float32")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     logger = CsvLogger(f"{folder}/history.csv")
        ...     _ = fit(nn.Linear(1, 1), Arrays(x=x, y=x), config=WorkflowConfig(num_epochs=2), callbacks=[logger])
        ...     print(logger.path.read_text().splitlines()[0])
        epoch,learning_rate,training_loss,validation_loss,improved,seconds
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path)
        self._writer = csv.writer(_Passing(), lineterminator="\n")

    def text(self, rows: list[dict[str, Any]]) -> str:
        """Writes rows with a header; see `FileLogger.text`."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        lines = [columns, *([row.get(name) for name in columns] for row in rows)] if columns else []
        return "".join(map(self._writer.writerow, lines))

    def line(self, row: dict[str, Any]) -> str:
        """Writes a row; see `FileLogger.line`."""
        return cast(str, self._writer.writerow(row.values()))


class _Passing:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
