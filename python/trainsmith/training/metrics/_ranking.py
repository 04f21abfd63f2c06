"""Scores of predicted probabilities: areas under curves, and log loss."""

import math

import numpy as np

from trainsmith.data._wording import worded
from trainsmith.errors import DataError
from trainsmith.training._metrics import roc_auc
from trainsmith.training._protocols_validation import Values
from trainsmith.training.metrics._metric import Floats, Ints, check_rows, positive_scores, true_classes


class _Scored:
    """Base of the scores that need all rows in order."""

    name = ""

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch.

        Args:
            predictions: scores of class 1, shape (rows,) or (rows, 1); or of both classes, shape (rows, 2).
            targets: 0 or 1, shape (rows,) or (rows, 1).
        """
        scores, classes = positive_scores(self.name, predictions, targets)
        self._scores.append(scores)
        self._classes.append(classes)

    def compute(self) -> float:
        """Returns the area, from 0 to 1; NaN where a class that it needs does not occur."""
        check_rows(self.name, sum(part.size for part in self._scores))
        return self._area(np.concatenate(self._scores), np.concatenate(self._classes))

    def reset(self) -> None:
        """Forgets all rows."""
        self._scores: list[Floats] = []
        self._classes: list[Ints] = []

    def _area(self, scores: Floats, classes: Ints) -> float:
        """Returns the area of all rows."""
        raise NotImplementedError


class RocAuc(_Scored):
    """Chance that a row of class 1 scores above one of class 0, ties counting half; it keeps all rows.

    NaN where only one class occurs.

    Example:
        >>> metric = RocAuc()
        >>> metric.update([0.1, 0.4], [0, 0]); metric.update([0.35, 0.8], [1, 1])
        >>> metric.compute()
        0.75
    """

    name = "roc_auc"

    def _area(self, scores: Floats, classes: Ints) -> float:
        area = roc_auc(scores, classes)
        return math.nan if area is None else area


class AveragePrecision(_Scored):
    """`sum((recall_k - recall_(k-1)) * precision_k)` over the thresholds k, from the highest on; it keeps all rows.

    NaN where class 1 does not occur.

    Example:
        >>> metric = AveragePrecision()
        >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> round(metric.compute(), 6)
        0.833333
    """

    name = "average_precision"

    def _area(self, scores: Floats, classes: Ints) -> float:
        if not classes.any():
            return math.nan
        values, place = np.unique(-scores, return_inverse=True)
        positives = np.cumsum(np.bincount(place.ravel(), weights=classes, minlength=values.size))
        rows = np.cumsum(np.bincount(place.ravel(), minlength=values.size))
        gained = np.diff(positives, prepend=0.0)
        return float((gained * positives / rows).sum() / positives[-1])


class LogLoss:
    """Mean of `-log(p)`, p the predicted probability of the true class, kept away from 0 and 1 by 2.2e-16.

    Example:
        >>> metric = LogLoss()
        >>> metric.update([[0.5, 0.5], [0.25, 0.75]], [0, 1])
        >>> round(metric.compute(), 6)
        0.490415
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch.

        Args:
            predictions: probabilities of the classes, shape (rows, classes), whose rows sum to 1; or of class 1, shape
                (rows,) or (rows, 1).
            targets: class numbers, shape (rows,) or (rows, 1).

        Raises:
            DataError: no probabilities, or a class without a column.
        """
        found = np.asarray(predictions, dtype=np.float64)
        if found.ndim == 1 or (found.ndim == 2 and found.shape[1] == 1):
            flat = found.reshape(-1, 1)
            found = np.concatenate([1 - flat, flat], axis=1)
        if (
            found.ndim != 2
            or not ((found >= 0) & (found <= 1)).all()
            or not np.allclose(found.sum(axis=1), 1, atol=1e-5)
        ):
            raise worded(
                DataError,
                "log_loss",
                "predictions must be probabilities",
                expected="rows of numbers from 0 to 1 with the sum 1",
                got=f"shape {found.shape}",
                step="apply softmax first",
            )
        classes = true_classes("log_loss", targets, found.shape[0])
        if classes.size and int(classes.max()) >= found.shape[1]:
            raise worded(
                DataError,
                "log_loss",
                "every class needs a column",
                expected=f"classes 0 to {found.shape[1] - 1}",
                got=str(classes.max()),
                step="check the targets",
            )
        tiny = float(np.finfo(np.float64).eps)
        chosen = np.clip(found[np.arange(classes.size), classes], tiny, 1 - tiny)
        self._total -= float(np.log(chosen).sum())
        self._count += classes.size

    def compute(self) -> float:
        """Returns the mean, in nats."""
        check_rows("log_loss", self._count)
        return self._total / self._count

    def reset(self) -> None:
        """Forgets all rows."""
        self._total, self._count = 0.0, 0
