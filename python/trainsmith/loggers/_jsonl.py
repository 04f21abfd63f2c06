"""History as a file with one JSON object per line."""

import json
import math
from typing import Any

from trainsmith.loggers._file import FileLogger


class JsonLinesLogger(FileLogger):
    """Keeps a file with one JSON object per epoch.

    A number that is not finite is null, as JSON has no word for it.

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
        ...     logger = JsonLinesLogger(f"{folder}/history.jsonl")
        ...     _ = fit(nn.Linear(1, 1), Arrays(x=x, y=x), config=WorkflowConfig(num_epochs=2), callbacks=[logger])
        ...     [json.loads(line)["epoch"] for line in logger.path.read_text().splitlines()]
        [1, 2]
    """

    def text(self, rows: list[dict[str, Any]]) -> str:
        """Writes one line per row; see `FileLogger.text`."""
        return "".join(map(self.line, rows))

    def line(self, row: dict[str, Any]) -> str:
        """Writes a row; see `FileLogger.line`."""
        return json.dumps({name: _finite(value) for name, value in row.items()}) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
