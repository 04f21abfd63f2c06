"""History as a CSV file."""

import csv
import io
from typing import Any

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

    def text(self, rows: list[dict[str, Any]]) -> str:
        """Writes rows with a header; see `FileLogger.text`."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        return _lines([columns, *([row.get(name) for name in columns] for row in rows)]) if columns else ""

    def line(self, row: dict[str, Any]) -> str:
        """Writes a row; see `FileLogger.line`."""
        return _lines([list(row.values())])


def _lines(rows: list[list[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
