"""Weights of rows and of classes."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import ConfigError, DataError


def checked_weights(weights: npt.ArrayLike, op: str) -> npt.NDArray[np.float64]:
    """Reads weights of rows.

    Args:
        weights: shape (rows,).
        op: who asks.

    Returns:
        The weights, float64.

    Raises:
        DataError: not finite numbers of at least 0, or all of them 0.

    Example:
        >>> checked_weights([1, 2], "example")
        array([1., 2.])
    """
    found = np.asarray(weights, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise worded(
            DataError,
            op,
            "weights must be numbers of at least 0, one per row",
            expected="shape (rows,), finite, with one above 0",
            got=f"shape {found.shape}: {shown(found.tolist())}",
            step="check the weights",
        )
    return found


def class_weights(
    labels: npt.ArrayLike, weights: Mapping[Any, float] | Literal["balanced"] = "balanced"
) -> npt.NDArray[np.float64]:
    """Gives each row the weight of its class.

    `balanced` weighs class c by rows / (classes * rows of c), so that all classes count alike.

    Args:
        labels: the class of each row, shape (rows,) or (rows, 1).
        weights: weight by class, at least 0; or `balanced`.

    Returns:
        Shape (rows,), float64.

    Raises:
        DataError: no labels, or more than one per row.
        ConfigError: a class without a weight, or a weight that is no number of at least 0.

    Example:
        >>> class_weights([0, 0, 0, 1]).round(3).tolist()
        [0.667, 0.667, 0.667, 2.0]

    Source: the weights of scikit-learn's `class_weight="balanced"`.
    """
    found: npt.NDArray[Any] = np.asarray(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1 or not found.size:
        raise worded(
            DataError,
            "class_weights",
            "there must be one class per row",
            expected="shape (rows,)",
            got=str(found.shape),
            step="pass the class of each row",
        )
    classes, index, counts = np.unique(found, return_inverse=True, return_counts=True)
    if isinstance(weights, str):
        return (found.size / (classes.size * counts.astype(np.float64)))[index]
    missing = [one for one in classes.tolist() if one not in weights]
    if missing or not all(np.isfinite(one) and one >= 0 for one in weights.values()):
        raise worded(
            ConfigError,
            "class_weights",
            "every class needs a weight",
            expected=f"a number of at least 0 for each of {counted(classes.size, 'class', 'classes')}",
            got=f"none for {shown(missing[0])}" if missing else shown(dict(weights)),
            step='add it, or use "balanced"',
        )
    return np.array([weights[one] for one in classes.tolist()], np.float64)[index]
