"""How one column of a table becomes inputs of a model."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data._cells import MISSING, numbers
from trainsmith.data._moments import mean_and_std

MAX_CATEGORIES = 100
"""A categorical column keeps at most this many categories; the rarer ones are treated as unseen."""

_FARTHEST = 1e6
_WHOLE = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericColumn:
    """A column of numbers, standardised: `(x - mean) / std`.

    Args:
        name: the column's name.
        mean: mean over the training rows, in the column's unit; it also stands in for missing cells.
        std: population standard deviation over the training rows; 0 marks a constant column, which becomes
            0 throughout.

    Example:
        >>> import numpy as np
        >>> NumericColumn(name="age", mean=40.0, std=10.0).encode(np.array([50.0, np.nan]))
        array([[1.],
               [0.]])
    """

    name: str
    mean: float
    std: float

    @classmethod
    def fit(cls, name: str, cells: Sequence[str], decimal: str) -> "NumericColumn":
        """Measures mean and deviation of the training cells; missing cells do not count."""
        values, _ = numbers(cells, decimal)
        mean, std = mean_and_std(values[~np.isnan(values)])
        return cls(name=name, mean=mean, std=std)

    @property
    def feature_names(self) -> list[str]:
        """The names of the encoded columns."""
        return [self.name]

    def encode(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Returns the standardised values, shape (rows, 1).

        NaN becomes 0, the mean. Beyond a million deviations the value is cut off, so that it stays finite in float32.
        """
        if self.std == 0.0:
            return np.zeros((values.size, 1))
        with np.errstate(over="ignore"):
            scaled = np.clip((values - self.mean) / self.std, -_FARTHEST, _FARTHEST)
        return np.nan_to_num(scaled, nan=0.0)[:, None]

    def to_dict(self) -> dict[str, Any]:
        """Returns what `preprocessing.json` holds for the column."""
        return {"name": self.name, "kind": "numeric", "mean": self.mean, "std": self.std}


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalColumn:
    """A column of categories, one-hot: one input per category that the training rows hold.

    A category that they do not hold becomes zeros in all inputs of the column. A missing cell is a category of its own,
    written as the empty text.

    Args:
        name: the column's name.
        categories: the known categories, sorted.

    Example:
        >>> CategoricalColumn(name="sex", categories=("f", "m")).encode(["m", "x"])
        array([[0., 1.],
               [0., 0.]])
    """

    name: str
    categories: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, cells: Sequence[str]) -> "CategoricalColumn":
        """Collects the categories of the training cells, at most the 100 most frequent."""
        counts = Counter(category(cell) for cell in cells)
        ranked = sorted(counts, key=lambda one: (-counts[one], one))
        return cls(name=name, categories=tuple(sorted(ranked[:MAX_CATEGORIES])))

    @property
    def feature_names(self) -> list[str]:
        """The names of the encoded columns."""
        return [f"{self.name}={one}" for one in self.categories]

    def encode(self, cells: Sequence[str]) -> npt.NDArray[np.float64]:
        """Returns the one-hot rows, shape (rows, categories)."""
        place = {one: position for position, one in enumerate(self.categories)}
        encoded = np.zeros((len(cells), len(place)))
        for row, cell in enumerate(cells):
            position = place.get(category(cell))
            if position is not None:
                encoded[row, position] = 1.0
        return encoded

    def unseen(self, cells: Sequence[str]) -> int:
        """Counts the cells whose category the training rows did not hold."""
        known = set(self.categories)
        return sum(category(cell) not in known for cell in cells)

    def to_dict(self) -> dict[str, Any]:
        """Returns what `preprocessing.json` holds for the column."""
        return {"name": self.name, "kind": "categorical", "categories": list(self.categories)}


Column = NumericColumn | CategoricalColumn


def category(cell: str) -> str:
    """Returns the category that a cell names.

    Args:
        cell: the text, without surrounding blanks.

    Returns:
        The text itself; the empty text for a missing cell; whole numbers lose a zero fraction, so `1.0` is `1`.

    Example:
        >>> category("red"), category("NA"), category("1.0")
        ('red', '', '1')
    """
    if cell in MISSING:
        return ""
    whole = _WHOLE.fullmatch(cell)
    return whole[1] if whole else cell


def column_from_dict(entry: Mapping[str, Any]) -> Column:
    """Rebuilds a column from its entry in `preprocessing.json`.

    Args:
        entry: what `to_dict` returned.

    Returns:
        The column.

    Raises:
        KeyError: the entry lacks a field.

    Example:
        >>> column = NumericColumn(name="age", mean=40.0, std=10.0)
        >>> column_from_dict(column.to_dict()) == column
        True
    """
    if entry["kind"] == "categorical":
        return CategoricalColumn(name=entry["name"], categories=tuple(entry["categories"]))
    return NumericColumn(name=entry["name"], mean=float(entry["mean"]), std=float(entry["std"]))
