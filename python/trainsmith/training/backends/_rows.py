"""What backends take: numbers in rows or windows, checked, and cut into training and validation."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError, ShapeError

Array = npt.NDArray[np.float64]

_AXES = {2: "(rows, features)", 3: "(windows, time, features)"}


def numbers(op: str, values: Any, axes: int) -> Array:
    """Reads rows or windows.

    Args:
        op: the operation that asks.
        values: an array, or nested lists of numbers.
        axes: 2 for rows, 3 for windows.

    Returns:
        Float64, of that many axes, a copy.

    Raises:
        DataError: cells that are no numbers, or not finite.
        ShapeError: another number of axes, lists of unequal lengths, or an axis of length 0.
    """
    try:
        array: Array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        ragged = "inhomogeneous" in str(error)
        kind, rule = (ShapeError, "rows must have equal lengths") if ragged else (DataError, "cells must be numbers")
        raise worded(kind, op, rule, expected=_AXES[axes], got=str(error), step="clean the data first") from error
    if array.ndim != axes or 0 in array.shape:
        raise worded(
            ShapeError,
            op,
            "data must have rows, each with values",
            expected=f"shape {_AXES[axes]}, no axis of length 0",
            got=str(array.shape),
            step="use create_windows for windows" if axes == 3 else "pass one row per sample",
        )
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        raise _not_finite(op, f"{array[tuple(bad[0])]} at {tuple(int(place) for place in bad[0])}")
    return array


def labels_of(op: str, values: Any, rows: int) -> Array:
    """Reads labels.

    Args:
        op: the operation that asks.
        values: an array or list of numbers.
        rows: how many there must be.

    Returns:
        Float64, shape (rows,), a copy.

    Raises:
        DataError: labels that are no numbers, or not finite.
        ShapeError: another shape.
    """
    try:
        array: Array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise worded(
            DataError, op, "labels must be numbers", expected="floats", got=shown(values), step="encode them"
        ) from error
    if array.shape != (rows,):
        raise worded(
            ShapeError,
            op,
            "each row needs one label",
            expected=str((rows,)),
            got=str(array.shape),
            step="pass as many labels as rows",
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise _not_finite(op, f"{array[bad[0]]} at {int(bad[0])}")
    return array


def parts(
    op: str, rows: int, ratio: float, *, seed: int, purge: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Divides rows into training and validation.

    Args:
        op: the operation that asks.
        rows: how many there are.
        ratio: share of the validation rows, in [0, 1).
        seed: of the draw.
        purge: None draws at random; otherwise the last rows validate, and so many rows before them are left out.

    Returns:
        Numbers of the training and of the validation rows, disjoint, ascending.

    Raises:
        DataError: no row is left to train on.
    """
    count = int(rows * ratio)
    order = np.arange(rows) if purge is not None else np.random.default_rng(seed).permutation(rows)
    left = rows - count - ((purge or 0) if count else 0)
    if left < 1:
        raise worded(
            DataError,
            op,
            "rows must be left to train on",
            expected=f"more than {rows - left} rows",
            got=str(rows),
            step="give more rows, or a smaller validation_ratio",
        )
    return np.sort(order[:left]), np.sort(order[rows - count :])


def _not_finite(op: str, got: str) -> DataError:
    return worded(
        DataError, op, "values must be finite", expected="finite numbers", got=got, step="clean the data first"
    )
