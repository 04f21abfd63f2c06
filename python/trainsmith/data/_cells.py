"""What one text cell says: a number, nothing, or text."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainsmith.data._table import Table
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError

MISSING = frozenset(
    {
        "",
        "?",
        "<NA>",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "N/A",
        "n/a",
        "NA",
        "NaN",
        "nan",
        "-NaN",
        "-nan",
        "None",
        "NULL",
        "null",
    }
    | {"-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"}
)
"""The cells that stand for a missing value: pandas' list and the `?` of the UCI tables."""


def number(cell: str, decimal: str = ".") -> float | None:
    """Reads a finite number.

    Args:
        cell: the text, without surrounding blanks.
        decimal: the table's decimal mark; with `,` a lone comma is read as the decimal point.

    Returns:
        The number, or None where the cell is no finite number.

    Example:
        >>> number("1e-3"), number("1,5", ","), number("inf"), number("a")
        (0.001, 1.5, None, None)
    """
    if decimal == "," and "," in cell and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def numbers(cells: Sequence[str], decimal: str = ".") -> tuple[npt.NDArray[np.float64], list[int]]:
    """Reads a column of numbers; a column of plain numbers takes a short cut to the same result.

    Args:
        cells: the column's text.
        decimal: the table's decimal mark.

    Returns:
        The values, shape (rows,), float64, NaN where a cell is missing or no number; and the rows of the cells that are
        neither missing nor a number.

    Example:
        >>> numbers(["1", "", "x"])
        (array([ 1., nan, nan]), [2])
    """
    try:
        values = np.array([*map(float, cells)])
        if np.isfinite(values).all() and "_" not in "".join(cells):
            return values, []
    except ValueError:
        pass
    values = np.full(len(cells), np.nan)
    odd: list[int] = []
    for row, cell in enumerate(cells):
        if cell in MISSING:
            continue
        value = number(cell, decimal)
        if value is None:
            odd.append(row)
        else:
            values[row] = value
    return values, odd


def required_numbers(table: Table, name: str, role: str) -> npt.NDArray[np.float64]:
    """Reads a column in which every cell must be a number.

    Args:
        table: the table.
        name: the column.
        role: who asks for it, such as `data.weight`; part of the error message.

    Returns:
        The values, shape (rows,), float64, all finite.

    Raises:
        DataError: the column does not exist, or a cell is missing or no finite number.

    Example:
        >>> table = Table(source="memory", columns={"w": ["1", "2"]}, lines=[2, 3])
        >>> required_numbers(table, "w", "data.weight")
        array([1., 2.])
    """
    cells = table.column(name, role)
    values, _ = numbers(cells, table.decimal)
    bad = np.flatnonzero(np.isnan(values))
    if bad.size:
        raise odd_cell(table, name, int(bad[0]), "fix the cell or remove the row")
    return values


def odd_cell(table: Table, name: str, row: int, step: str) -> DataError:
    """Builds the error for a cell that is no finite number.

    Args:
        table: the table.
        name: the column.
        row: the row, counted from 0.
        step: what to do next.

    Returns:
        The error; its message names line and column.

    Example:
        >>> table = Table(source="t.csv", columns={"w": ["x"]}, lines=[2])
        >>> print(odd_cell(table, "w", 0, "fix the cell"))
        table: column 'w' must hold numbers; expected a finite number, got 'x' on line 2 of t.csv; fix the cell
    """
    return worded(
        DataError,
        "table",
        f"column {shown(name)} must hold numbers",
        expected="a finite number",
        got=f"{shown(table.columns[name][row])} on line {table.lines[row]} of {table.source}",
        step=step,
    )
