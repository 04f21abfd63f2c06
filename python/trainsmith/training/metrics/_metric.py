"""What a metric is, and how it reads predictions and targets."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError, ShapeError
from trainsmith.training._protocols_validation import Values

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@runtime_checkable
class Metric(Protocol):
    """Collects batches of any sizes; the value is that of all rows together."""

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch.

        Args:
            predictions: the model's output, shape (rows, ...).
            targets: the truth, shape (rows, ...).
        """
        ...

    def compute(self) -> float:
        """Returns the value over all rows so far; NaN where they do not define it.

        Raises:
            DataError: no rows were given.
        """
        ...

    def reset(self) -> None:
        """Forgets all rows."""
        ...


def numbers_of(op: str, predictions: Values, targets: Values) -> tuple[Floats, Floats]:
    """Reads predicted and true numbers.

    Args:
        op: the metric's name.
        predictions: shape (rows, ...).
        targets: the same shape; (rows,) and (rows, 1) are different shapes.

    Returns:
        Both as float64.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> numbers_of("mse", [1, 2], [3, 4])[0]
        array([1., 2.])
    """
    predicted, true = np.asarray(predictions, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if predicted.shape != true.shape or not predicted.ndim:
        raise worded(
            ShapeError,
            op,
            "predictions and targets must have one shape",
            expected=f"shape {true.shape} with a row axis",
            got=f"{predicted.shape}",
            step="reshape one of them",
        )
    return predicted, true


def single_column(op: str, predictions: Values, targets: Values) -> tuple[Floats, Floats]:
    """Reads predicted and true numbers of one output.

    Args:
        op: the metric's name.
        predictions: shape (rows,) or (rows, 1).
        targets: the same shape.

    Returns:
        Both of shape (rows,), float64.

    Raises:
        ShapeError: the shapes differ, or there are several outputs.

    Example:
        >>> single_column("pearson", [[1.0]], [[2.0]])[1]
        array([2.])
    """
    predicted, true = numbers_of(op, predictions, targets)
    if predicted.size != predicted.shape[0]:
        raise worded(
            ShapeError,
            op,
            "predictions must have one output",
            expected="shape (rows,) or (rows, 1)",
            got=str(predicted.shape),
            step="score each output on its own",
        )
    return predicted.ravel(), true.ravel()


def true_classes(op: str, targets: Values, rows: int) -> Ints:
    """Reads the true class of each row.

    Args:
        op: the metric's name.
        targets: whole numbers of at least 0, shape (rows,) or (rows, 1).
        rows: the number of rows of the predictions.

    Returns:
        Shape (rows,), int64.

    Raises:
        ShapeError: not one per row.
        DataError: no class numbers.

    Example:
        >>> true_classes("accuracy", [0, 2], 2)
        array([0, 2])
    """
    found: npt.NDArray[Any] = np.asarray(targets)
    if found.shape not in ((rows,), (rows, 1)):
        raise worded(
            ShapeError,
            op,
            "targets must have one class per row",
            expected=f"shape ({rows},)",
            got=str(found.shape),
            step="pass class numbers, not one-hot rows",
        )
    return _class_numbers(op, found.ravel(), "targets")


def predicted_classes(op: str, predictions: Values) -> Ints:
    """Reads the predicted class of each row.

    Args:
        op: the metric's name.
        predictions: scores of the classes, shape (rows, classes), of which the largest counts; or, shape (rows,) or
            (rows, 1), class numbers of an integer dtype, or probabilities of class 1, which count as 1 above a half.

    Returns:
        Shape (rows,), int64.

    Raises:
        ShapeError: another shape.
        DataError: scores that are NaN, or probabilities outside [0, 1].

    Example:
        >>> predicted_classes("accuracy", [[0.1, 0.9], [0.6, 0.4]]), predicted_classes("accuracy", [0.7, 0.2])
        (array([1, 0]), array([1, 0]))
    """
    found: npt.NDArray[Any] = np.asarray(predictions)
    if found.ndim not in (1, 2):
        raise worded(
            ShapeError,
            op,
            "predictions must be classes or scores",
            expected="shape (rows,) or (rows, classes)",
            got=str(found.shape),
            step="reshape the predictions",
        )
    if found.ndim == 2 and found.shape[1] > 1:
        if np.isnan(found.astype(np.float64)).any():
            raise _bad(op, "scores must be numbers", "no NaN", "NaN")
        return found.argmax(axis=1).astype(np.int64)
    flat = found.ravel()
    if flat.dtype.kind == "f":
        inside = (flat >= 0) & (flat <= 1)
        if not inside.all():
            raise _bad(
                op, "predictions of one column must be probabilities of class 1", "0 to 1", str(flat[~inside][0])
            )
        return (flat > 0.5).astype(np.int64)
    return _class_numbers(op, flat, "predictions")


def positive_scores(op: str, predictions: Values, targets: Values) -> tuple[Floats, Ints]:
    """Reads the score of class 1 and the true class, 0 or 1.

    Args:
        op: the metric's name.
        predictions: shape (rows,), (rows, 1), or (rows, 2), of which the second column counts.
        targets: 0 or 1, shape (rows,) or (rows, 1).

    Returns:
        Scores and classes, shape (rows,).

    Raises:
        ShapeError: another shape.
        DataError: NaN, or a class other than 0 and 1.

    Example:
        >>> positive_scores("roc_auc", [[0.2, 0.8]], [1])
        (array([0.8]), array([1]))
    """
    found = np.asarray(predictions, dtype=np.float64)
    if found.ndim == 1:
        found = found[:, np.newaxis]
    if found.ndim != 2 or found.shape[1] not in (1, 2):
        raise worded(
            ShapeError,
            op,
            "predictions must score two classes",
            expected="shape (rows,), (rows, 1) or (rows, 2)",
            got=str(found.shape),
            step="score one class against the rest",
        )
    classes = true_classes(op, targets, found.shape[0])
    if np.isnan(found).any():
        raise _bad(op, "scores must be numbers", "no NaN", "NaN")
    if classes.size and int(classes.max()) > 1:
        raise _bad(op, "targets must be classes 0 and 1", "0 or 1", str(classes.max()))
    return found[:, -1].copy(), classes


def check_rows(op: str, rows: int) -> None:
    """Refuses to compute without rows.

    Args:
        op: the metric's name.
        rows: the rows so far.

    Raises:
        DataError: there are none.

    Example:
        >>> check_rows("mse", 3)
    """
    if not rows:
        raise _bad(op, "a metric needs rows", "at least 1 row", "none")


def _class_numbers(op: str, values: npt.NDArray[Any], name: str) -> Ints:
    if values.dtype.kind == "f" and np.isfinite(values).all() and not np.any(values % 1):
        values = values.astype(np.int64)
    if values.dtype.kind not in "biu" or (values.size and int(values.min()) < 0):
        raise _bad(op, f"{name} must be class numbers", "whole numbers of at least 0", shown(values.tolist()))
    return values.astype(np.int64)


def _bad(op: str, rule: str, expected: str, got: str) -> DataError:
    return worded(DataError, op, rule, expected=expected, got=got, step="check what is passed")
