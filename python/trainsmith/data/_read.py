"""Reads a table file by its name."""

from os import PathLike
from pathlib import Path

from trainsmith.data._arrow import read_parquet
from trainsmith.data._csv import read_csv
from trainsmith.data._table import Table

_COLUMNAR = (".parquet", ".pq", ".arrow", ".feather")


def read_table(path: str | PathLike[str]) -> Table:
    r"""Reads a CSV, Parquet or Arrow file.

    Args:
        path: the file; `.parquet`, `.pq`, `.arrow` and `.feather` are columnar, every other name is a CSV file.

    Returns:
        All cells as text.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: the file is no such table.

    Example:
        >>> import pathlib, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,b\n1,x\n")
        >>> read_table(path).rows
        1
        >>> folder.cleanup()
    """
    return read_parquet(path) if Path(path).suffix.lower() in _COLUMNAR else read_csv(path)
