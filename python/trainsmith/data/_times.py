"""Reads a column of times into numbers that sort like the times."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from trainsmith.data._cells import number
from trainsmith.data._table import Table
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError


def times_of(table: Table, name: str) -> npt.NDArray[np.float64]:
    """Reads times: all numbers, or all ISO 8601 dates or date-times, with a time zone throughout or nowhere.

    Args:
        table: the table.
        name: the time column.

    Returns:
        Shape (rows,), float64: the numbers as they are, or seconds since 1970.

    Raises:
        DataError: the column does not exist, or a cell is neither, or is not like the first; the line is named.

    Example:
        >>> table = Table(source="t.csv", columns={"t": ["1970-01-02", "1970-01-01 12:00"]}, lines=[2, 3])
        >>> times_of(table, "t")
        array([86400., 43200.])
    """
    cells = table.column(name, "data.time")
    read = [_read(cell, table.decimal) for cell in cells]
    values = np.empty(len(cells))
    for row, found in enumerate(read):
        if found is None or read[0] is None or found[0] != read[0][0]:
            raise worded(
                DataError,
                "table",
                f"times in column {shown(name)} must have one form",
                expected="numbers, or ISO 8601 dates such as 2024-05-31 or 2024-05-31T12:00:00",
                got=f"{shown(cells[row])} on line {table.lines[row]} of {table.source}",
                step="rewrite the column",
            )
        values[row] = found[1]
    return values


def _read(cell: str, decimal: str) -> tuple[str, float] | None:
    """Returns the form of a time and its number."""
    value = number(cell, decimal)
    if value is not None:
        return "number", value
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return "local", moment.replace(tzinfo=UTC).timestamp()
    return "zoned", moment.timestamp()
