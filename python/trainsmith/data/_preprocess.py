"""Turns table rows into model inputs, with everything it learns taken from the training rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainsmith.data._cells import MISSING, numbers, odd_cell
from trainsmith.data._feature_columns import CategoricalColumn, Column, NumericColumn, column_from_dict
from trainsmith.data._kind import column_kind
from trainsmith.data._nearest import nearest
from trainsmith.data._table import Table
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError

Missing = Literal["error", "mean", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessor:
    """A standard scaler for numeric columns and a one-hot encoder for categorical ones.

    Args:
        columns: the fitted columns, in the order of the model's inputs.
        missing: what a missing cell means: an `error`; the training `mean` (for a categorical column: a category of its
            own); or `drop`, where the caller leaves out incomplete rows.

    Example:
        >>> import numpy as np
        >>> table = Table(source="t.csv", columns={"age": ["20", "40", "90"], "sex": ["f", "m", "x"]}, lines=[2, 3, 4])
        >>> preprocessor = Preprocessor.fit(table, ["age", "sex"], train=np.array([0, 1]))
        >>> preprocessor.feature_names
        ['age', 'sex=f', 'sex=m']
        >>> preprocessor.transform(table)
        array([[-1.,  1.,  0.],
               [ 1.,  0.,  1.],
               [ 6.,  0.,  0.]])
    """

    columns: tuple[Column, ...]
    missing: Missing = "error"

    @classmethod
    def fit(
        cls,
        table: Table,
        features: Sequence[str],
        *,
        train: npt.NDArray[np.int64],
        categorical: Collection[str] = (),
        missing: Missing = "error",
    ) -> "Preprocessor":
        """Fits scalers and categories on the training rows.

        Args:
            table: the whole table; a column's kind is recognised over all its rows.
            features: the columns to use.
            train: the training rows, counted from 0, shape (k,).
            categorical: columns that are categorical even though their cells are numbers.
            missing: what a missing cell means.

        Returns:
            The fitted preprocessor.

        Raises:
            DataError: a column does not exist, or a column of numbers holds a text.
        """
        rows: list[int] = train.tolist()
        columns: list[Column] = []
        for name in features:
            kind = "categorical" if name in categorical else column_kind(table, name)
            cells = table.columns[name]
            chosen = [cells[row] for row in rows]
            if kind == "numeric":
                columns.append(NumericColumn.fit(name, chosen, table.decimal))
            else:
                columns.append(CategoricalColumn.fit(name, chosen))
        return cls(columns=tuple(columns), missing=missing)

    @property
    def feature_names(self) -> list[str]:
        """The names of the model's inputs; `column=category` for a one-hot input."""
        return [name for column in self.columns for name in column.feature_names]

    def transform(self, table: Table) -> npt.NDArray[np.float64]:
        """Encodes every row of a table.

        Args:
            table: a table that has the fitted columns, in any order; further columns are ignored.

        Returns:
            The inputs, shape (rows, features), float64.

        Raises:
            DataError: a column or a cell is missing, or a numeric cell is no finite number; line and column are named.
        """
        self.check_columns(table)
        parts: list[npt.NDArray[np.float64]] = []
        for column in self.columns:
            cells = table.columns[column.name]
            if self.missing != "mean":
                self._check_complete(table, column.name, cells)
            if isinstance(column, CategoricalColumn):
                parts.append(column.encode(cells))
                continue
            values, odd = numbers(cells, table.decimal)
            if odd:
                raise odd_cell(table, column.name, odd[0], "fix the cell")
            parts.append(column.encode(values))
        return np.concatenate(parts, axis=1) if parts else np.zeros((table.rows, 0))

    def check_columns(self, table: Table) -> None:
        """Checks that a table has the fitted columns.

        Args:
            table: the table.

        Raises:
            DataError: a column is missing; all of them are named.
        """
        absent = [column.name for column in self.columns if column.name not in table.columns]
        if absent:
            raise worded(
                DataError,
                "table",
                f"{table.source} must have the columns that the model was trained on",
                expected=", ".join(map(shown, absent[:10])) + (", ..." if len(absent) > 10 else ""),
                got="none of that name" if len(absent) == 1 else "none of these names",
                step=f"rename or add the column; {nearest(absent[0], table.columns)}",
            )

    def _check_complete(self, table: Table, name: str, cells: Sequence[str]) -> None:
        row = next((row for row, cell in enumerate(cells) if cell in MISSING), None)
        if row is not None:
            raise worded(
                DataError,
                "table",
                f"column {shown(name)} must have a value in every row",
                expected="a value",
                got=f"{shown(cells[row])} on line {table.lines[row]} of {table.source}",
                step='fill the cell, or set data.missing to "mean" or "drop" and train',
            )

    def unseen(self, table: Table) -> dict[str, int]:
        """Counts, per categorical column, the cells whose category the training rows did not hold.

        Args:
            table: a table that has the fitted columns.

        Returns:
            Column name to count; columns without such cells are left out.
        """
        counts = {
            column.name: column.unseen(table.columns[column.name])
            for column in self.columns
            if isinstance(column, CategoricalColumn)
        }
        return {name: count for name, count in counts.items() if count}

    def to_dict(self) -> dict[str, Any]:
        """Returns the preprocessor as plain values that JSON can hold exactly."""
        return {"missing": self.missing, "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> "Preprocessor":
        """Rebuilds a preprocessor from what `to_dict` returned.

        Args:
            entry: the plain values.

        Returns:
            An equal preprocessor.

        Raises:
            KeyError: a field is missing.
        """
        return cls(columns=tuple(column_from_dict(one) for one in entry["columns"]), missing=entry["missing"])


def complete_rows(table: Table, names: Collection[str]) -> npt.NDArray[np.int64]:
    """Finds the rows in which none of the named cells is missing.

    Args:
        table: the table.
        names: the columns to look at.

    Returns:
        Row numbers, counted from 0, ascending.

    Raises:
        DataError: a column does not exist.

    Example:
        >>> table = Table(source="t.csv", columns={"a": ["1", "NA"]}, lines=[2, 3])
        >>> complete_rows(table, ["a"])
        array([0])
    """
    present = np.ones(table.rows, dtype=np.bool_)
    for name in names:
        present &= np.fromiter((cell not in MISSING for cell in table.column(name, "the column")), np.bool_, table.rows)
    return np.flatnonzero(present).astype(np.int64)
