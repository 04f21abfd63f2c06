"""The column to predict: recognises the task, encodes the target and maps predictions back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainsmith.data._cells import MISSING, number, numbers, odd_cell
from trainsmith.data._kind import column_kind
from trainsmith.data._moments import mean_and_std
from trainsmith.data._table import Table
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError

Task = Literal["classification", "regression"]

_FEW_CLASSES = 20
_ROWS_PER_CLASS = 4
_AS_CLASSES = 'set data.task to "classification"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target column as a model sees it.

    A classification target becomes class numbers. A regression target is standardised with the mean and deviation of
    the training rows, and predictions are mapped back.

    Args:
        name: the column's name.
        task: `classification` or `regression`.
        classes: the class labels, sorted, as numbers where all are numbers; empty for regression.
        mean: mean over the training rows, in the target's unit; 0 for classification.
        std: population standard deviation over the training rows, in the target's unit; 1 for classification.

    Example:
        >>> import numpy as np
        >>> table = Table(source="t.csv", columns={"y": ["no", "yes", "no"]}, lines=[2, 3, 4])
        >>> target = Target.fit(table, "y", train=np.array([0, 1]))
        >>> target.task, target.classes, target.encode(table)
        ('classification', ('no', 'yes'), array([0, 1, 0]))
    """

    name: str
    task: Task
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def fit(
        cls, table: Table, name: str, *, train: npt.NDArray[np.int64], task: Literal["auto"] | Task = "auto"
    ) -> "Target":
        """Recognises the task and fits the target.

        Args:
            table: the whole table. Classes are collected over all rows, mean and deviation over the training rows.
            name: the target column.
            train: the training rows, counted from 0, shape (k,).
            task: the task, or `auto` to recognise it with `detect_task`.

        Returns:
            The fitted target.

        Raises:
            DataError: a cell is missing or does not fit the task, or the training rows hold one value only.
        """
        found = detect_task(table, name) if task == "auto" else task
        _check_present(table, name)
        target = _classifier(table, name) if found == "classification" else _regressor(table, name, train)
        encoded = target.encode(table)
        for rows, where in ((np.arange(table.rows), "the table"), (train, "the training part")):
            if np.unique(encoded[rows]).size < 2:
                raise worded(
                    DataError,
                    "target",
                    f"column {shown(name)} must vary in {where}",
                    expected="at least 2 classes" if target.classes else "at least 2 different numbers",
                    got=f"{shown(table.columns[name][int(rows[0])])} only" if rows.size else "no rows",
                    step="check data.target" if where == "the table" else "add rows, or choose another split.strategy",
                )
        return target

    def encode(self, table: Table) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """Encodes the target of every row.

        Args:
            table: a table that has the target column, complete.

        Returns:
            Class numbers, shape (rows,), int64; or standardised numbers, shape (rows,), float64.

        Raises:
            DataError: a cell is no known class or no number.
        """
        cells = table.column(self.name, "data.target")
        if self.task == "regression":
            values, odd = numbers(cells, table.decimal)
            if odd:
                raise odd_cell(table, self.name, odd[0], f"fix the cell, or {_AS_CLASSES}")
            return (values - self.mean) / self.std
        place = {_label(one, table.decimal): position for position, one in enumerate(self.classes)}
        found = [place.get(_label(cell, table.decimal)) for cell in cells]
        if None in found:
            row = found.index(None)
            raise worded(
                DataError,
                "target",
                f"column {shown(self.name)} must hold classes of the training rows",
                expected=", ".join(map(shown, self.classes[:5])) + (", ..." if len(self.classes) > 5 else ""),
                got=f"{shown(cells[row])} on line {table.lines[row]} of {table.source}",
                step="leave out the row, or train with that class",
            )
        return np.array(found, np.int64)

    def decode(self, standardised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Maps standardised regression values back.

        Args:
            standardised: a model's output, any shape, float64.

        Returns:
            The same shape, in the target's unit.
        """
        return standardised * self.std + self.mean

    def to_dict(self) -> dict[str, Any]:
        """Returns the target as plain values that JSON can hold exactly."""
        if self.task == "classification":
            return {"name": self.name, "task": self.task, "classes": list(self.classes)}
        return {"name": self.name, "task": self.task, "mean": self.mean, "std": self.std}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> "Target":
        """Rebuilds a target from what `to_dict` returned.

        Args:
            entry: the plain values.

        Returns:
            An equal target.

        Raises:
            KeyError: a field is missing.
        """
        return cls(
            name=entry["name"],
            task=entry["task"],
            classes=tuple(entry.get("classes", ())),
            mean=float(entry.get("mean", 0.0)),
            std=float(entry.get("std", 1.0)),
        )


def detect_task(table: Table, name: str) -> Task:
    """Recognises classification or regression from the target's cells.

    Text is classification. Numbers are classification where all are whole and there are at most 2 different ones, or at
    most 20 with 4 rows each on average; otherwise regression.

    Args:
        table: the table.
        name: the target column.

    Returns:
        `classification` or `regression`.

    Raises:
        DataError: the column does not exist, or a column of numbers holds a stray text.

    Example:
        >>> table = Table(source="t.csv", columns={"y": ["0.5", "1.5"], "z": ["0", "1"]}, lines=[2, 3])
        >>> detect_task(table, "y"), detect_task(table, "z")
        ('regression', 'classification')
    """
    cells = table.column(name, "data.target")
    if column_kind(table, name, step=_AS_CLASSES) == "categorical":
        return "classification"
    values, _ = numbers(cells, table.decimal)
    present = values[~np.isnan(values)]
    different = np.unique(present)
    if np.any(different % 1 != 0):
        return "regression"
    few = different.size <= min(_FEW_CLASSES, present.size // _ROWS_PER_CLASS)
    return "classification" if few or different.size <= 2 else "regression"


def _check_present(table: Table, name: str) -> None:
    cells = table.column(name, "data.target")
    row = next((row for row, cell in enumerate(cells) if cell in MISSING), None)
    if row is not None:
        raise worded(
            DataError,
            "target",
            f"column {shown(name)} must have a value in every row",
            expected="a value",
            got=f"{shown(cells[row])} on line {table.lines[row]} of {table.source}",
            step='remove the row, or set data.missing to "drop"',
        )


def _classifier(table: Table, name: str) -> Target:
    cells = table.columns[name]
    spellings: dict[str | float, set[str]] = {}
    for cell in cells:
        spellings.setdefault(_label(cell, table.decimal), set()).add(cell)
    if len(spellings) > max(_FEW_CLASSES, len(cells) // 2):
        raise worded(
            DataError,
            "target",
            f"the classes of column {shown(name)} must repeat",
            expected="several rows of each class",
            got=f"{len(spellings)} different values in {len(cells)} rows",
            step='check data.target, or set data.task to "regression"',
        )
    numeric = all(isinstance(one, float) for one in spellings)
    order = sorted(spellings, key=float if numeric else str)
    return Target(name=name, task="classification", classes=tuple(_spelling(one, spellings[one]) for one in order))


def _label(cell: str, decimal: str) -> str | float:
    """Returns what tells classes apart: `1` and `1.0` are one class."""
    value = number(cell, decimal)
    return cell if value is None else value


def _spelling(label: str | float, spellings: set[str]) -> str:
    if len(spellings) == 1:
        return next(iter(spellings))
    return str(int(label)) if isinstance(label, float) and label.is_integer() else min(spellings)


def _regressor(table: Table, name: str, train: npt.NDArray[np.int64]) -> Target:
    values, odd = numbers(table.columns[name], table.decimal)
    if odd:
        raise odd_cell(table, name, odd[0], f"fix the cell, or {_AS_CLASSES}")
    mean, std = mean_and_std(values[train])
    return Target(name=name, task="regression", mean=mean, std=std or 1.0)
