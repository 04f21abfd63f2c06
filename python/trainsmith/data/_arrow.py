"""Reads columnar tables, from Parquet and Arrow files or from another library's memory."""

import hashlib
from importlib import import_module
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from trainsmith.data._csv import bytes_of
from trainsmith.data._table import Table
from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import DataError

_OP = "read_arrow"
_PLAIN = (
    "is_boolean",
    "is_integer",
    "is_floating",
    "is_decimal",
    "is_string",
    "is_large_string",
    "is_string_view",
    "is_null",
)
_TIMES = ("is_date", "is_timestamp")


def read_parquet(path: str | PathLike[str]) -> Table:
    """Reads a Parquet file, or an Arrow file (`.arrow`, `.feather`).

    Args:
        path: the file.

    Returns:
        All cells as text; a null is an empty cell. Lines count the rows from 1.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: pyarrow is not installed, the file is no such table, or has no rows.

    Example:
        >>> try:
        ...     read_parquet("no-such.parquet")
        ... except OSError as error:
        ...     print(error.expected)
        a Parquet or Arrow file
    """
    path = Path(path)
    raw = bytes_of(path, "a Parquet or Arrow file", _OP)
    arrow = _module("pyarrow")
    try:
        if path.suffix.lower() in (".arrow", ".feather"):
            found = _module("pyarrow.feather").read_table(arrow.BufferReader(raw))
        else:
            found = _module("pyarrow.parquet").read_table(arrow.BufferReader(raw))
    except (arrow.ArrowException, OSError) as error:
        raise worded(
            DataError,
            _OP,
            f"{path.name} must be a whole Parquet or Arrow file",
            expected="a file that its writer has closed",
            got=str(error).split("\n")[0],
            step="write the file again",
        ) from None
    return _table(found, path.name, hashlib.sha256(raw).hexdigest())


def read_arrow(data: Any, source: str = "table") -> Table:
    """Reads a table of another library through the Arrow C stream: polars, pandas, pyarrow, duckdb and others.

    Args:
        data: anything with `__arrow_c_stream__`.
        source: its name in messages.

    Returns:
        All cells as text; a null is an empty cell. Lines count the rows from 1.

    Raises:
        DataError: pyarrow is not installed, `data` is no such table, has no rows, or has nested columns.

    Example:
        With the extra installed, `read_arrow(polars.DataFrame({"a": [1, None]})).columns` is `{"a": ["1", ""]}`.
    """
    if not hasattr(data, "__arrow_c_stream__"):
        raise worded(
            DataError,
            _OP,
            "the data must be a table",
            expected="an object with __arrow_c_stream__, such as a polars or pandas DataFrame",
            got=type(data).__name__,
            step="convert it to one of them",
        )
    return _table(_module("pyarrow").table(data), source, "")


def _module(name: str) -> Any:
    try:
        module: ModuleType = import_module(name)
    except ImportError as error:
        raise worded(
            DataError,
            _OP,
            "Parquet and Arrow need the package pyarrow",
            expected="pyarrow",
            got=str(error),
            step='run: pip install "trainsmith[arrow]"',
        ) from None
    return module


def _table(found: Any, source: str, sha256: str) -> Table:
    names: list[str] = found.column_names
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None or not names or not found.num_rows:
        raise worded(
            DataError,
            _OP,
            f"{source} must be a table with rows and different column names",
            expected="at least 1 row, and one column of each name",
            got=f"{counted(found.num_rows, 'row')} of {counted(len(names), 'column')}"
            if twice is None
            else f"{shown(twice)} twice",
            step="check how the table was made",
        )
    return Table(
        source=source,
        columns={name: _cells(found.column(place), name, source) for place, name in enumerate(names)},
        lines=range(1, found.num_rows + 1),
        sha256=sha256,
    )


def _cells(column: Any, name: str, source: str) -> list[str]:
    """Writes a column as text, numbers with as many digits as bring them back exactly."""
    arrow, types = _module("pyarrow"), _module("pyarrow.types")
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not any(getattr(types, kind)(column.type) for kind in (*_PLAIN, *_TIMES)):
        raise worded(
            DataError,
            _OP,
            f"column {shown(name)} of {source} must hold plain values",
            expected="numbers, texts, booleans, dates or times",
            got=str(column.type),
            step="convert or drop the column",
        )
    if types.is_string_view(column.type):
        column = column.cast(arrow.large_string())
    if types.is_floating(column.type):
        column = column.cast(arrow.float64())
    cells: list[str | None] = column.cast(arrow.string()).to_pylist()
    return ["" if cell is None else cell.strip() for cell in cells]
