"""Whether a column holds numbers or categories."""

from typing import Literal

import numpy as np

from trainsmith.data._cells import MISSING, numbers, odd_cell
from trainsmith.data._table import Table

Kind = Literal["numeric", "categorical"]

# More different whole numbers than this are measurements; codes of categories repeat, so in a short column fewer do.
_FEW = 20
_REPEATED = 6
_IDENTIFIERS = frozenset({"id", "index", "key", "uuid", "row", "no", "number"})


def column_kind(table: Table, name: str, *, step: str = "list the column in data.categorical") -> Kind:
    """Recognises the kind of a column from its cells.

    A column whose present cells are all numbers is numeric. One with other cells is categorical, unless it is plainly a
    column of measurements with a stray text: at least half of its cells are numbers, and these have a fraction or more
    than 20 different values, or hardly ever repeat.

    Args:
        table: the table.
        name: the column.
        step: what to do about a stray text that is meant, for the message.

    Returns:
        `numeric` or `categorical`; a column without any present cell is numeric.

    Raises:
        DataError: a stray text in a column of numbers; the message names line and column.

    Example:
        >>> table = Table(source="memory", columns={"a": ["1", "2"], "b": ["x", "y"]}, lines=[2, 3])
        >>> column_kind(table, "a"), column_kind(table, "b")
        ('numeric', 'categorical')
    """
    cells = table.column(name, "the feature")
    values, odd = numbers(cells, table.decimal)
    if not odd:
        return "numeric"
    present = values[~np.isnan(values)]
    different = np.unique(present).size
    measured = bool(np.any(present % 1 != 0)) or different > min(_FEW, max(_REPEATED, present.size / 2))
    if present.size >= len(odd) and measured:
        raise odd_cell(table, name, odd[0], f"fix the cell, or {step}")
    return "categorical"


def looks_like_identifier(table: Table, name: str) -> bool:
    """Says whether a column only names its rows: all cells differ, and they are texts or the column's name says so.

    Args:
        table: the table.
        name: the column.

    Returns:
        True for a column that a model should not see.

    Example:
        >>> table = Table(source="t.csv", columns={"id": ["1", "2", "3"], "age": ["31", "32", "33"]}, lines=[2, 3, 4])
        >>> looks_like_identifier(table, "id"), looks_like_identifier(table, "age")
        (True, False)
    """
    cells = table.columns[name]
    if len(cells) < 3 or len(set(cells)) < len(cells):
        return False
    word = name.casefold().replace("-", "_").replace(" ", "_")
    named = word in _IDENTIFIERS or word.endswith(("_id", "_no", "_index"))
    return named or len(numbers(cells, table.decimal)[1]) + sum(cell in MISSING for cell in cells) == len(cells)
