"""Scores of predicted classes, all from one table of counts."""

from typing import Literal

import numpy as np

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError
from trainsmith.training._protocols_validation import Values
from trainsmith.training.metrics._metric import Floats, Ints, check_rows, predicted_classes, true_classes

Average = Literal["macro", "micro", "binary"]


class ConfusionMatrix:
    """Counts rows by true and predicted class.

    Predictions are scores of shape (rows, classes), of which the largest counts; class numbers of an integer dtype; or
    probabilities of class 1. Targets are class numbers.

    Args:
        num_classes: the number of classes; None for as many as occur.

    Raises:
        ConfigError: fewer than one class.

    Example:
        >>> metric = ConfusionMatrix()
        >>> metric.update([0, 1, 1], [0, 0, 1])
        >>> metric.compute().tolist()
        [[1, 1], [0, 1]]
    """

    def __init__(self, num_classes: int | None = None) -> None:
        if num_classes is not None and num_classes < 1:
            raise worded(
                ConfigError,
                "confusion_matrix",
                "num_classes must be positive",
                expected="at least 1, or None",
                got=str(num_classes),
                step="change it",
            )
        self._num_classes = num_classes
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch.

        Raises:
            DataError: a class of at least `num_classes`.
        """
        predicted = predicted_classes("confusion_matrix", predictions)
        true = true_classes("confusion_matrix", targets, predicted.size)
        shape = np.shape(predictions)
        scored = shape[1] if len(shape) == 2 and shape[1] > 1 else 0
        needed = max(scored, 1 + int(max(predicted.max(initial=-1), true.max(initial=-1))))
        if self._num_classes is not None and needed > self._num_classes:
            raise worded(
                DataError,
                "confusion_matrix",
                "classes must be known",
                expected=f"0 to {self._num_classes - 1}",
                got=str(needed - 1),
                step="raise num_classes",
            )
        size = max(needed, self._counts.shape[0])
        if size > self._counts.shape[0]:
            grown = np.zeros((size, size), dtype=np.int64)
            grown[: self._counts.shape[0], : self._counts.shape[0]] = self._counts
            self._counts = grown
        self._counts += np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)

    def compute(self) -> Ints:
        """Returns the counts, shape (classes, classes); the first axis is the true class."""
        return self._counts.copy()

    def reset(self) -> None:
        """Forgets all rows."""
        size = self._num_classes or 0
        self._counts: Ints = np.zeros((size, size), dtype=np.int64)


class _FromCounts:
    """Base of the scores that follow from the counts."""

    name = ""

    def __init__(self) -> None:
        self._matrix = ConfusionMatrix()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; see `ConfusionMatrix`."""
        self._matrix.update(predictions, targets)

    def compute(self) -> float:
        """Returns the score, from 0 to 1."""
        counts = self._matrix.compute()
        check_rows(self.name, int(counts.sum()))
        hits = np.diag(counts).astype(np.float64)
        return self._score(hits, counts.sum(axis=1).astype(np.float64), counts.sum(axis=0).astype(np.float64))

    def reset(self) -> None:
        """Forgets all rows."""
        self._matrix.reset()

    def _score(self, hits: Floats, true: Floats, guessed: Floats) -> float:
        """Returns the score from hits, true rows and predicted rows of each class."""
        raise NotImplementedError


class Accuracy(_FromCounts):
    """Share of the rows whose class is right; predictions and targets as in `ConfusionMatrix`.

    Example:
        >>> metric = Accuracy()
        >>> metric.update([0, 1, 1], [0, 0, 1]); metric.update([2], [2])
        >>> metric.compute()
        0.75
    """

    name = "accuracy"

    def _score(self, hits: Floats, true: Floats, guessed: Floats) -> float:
        return float(hits.sum() / true.sum())


class BalancedAccuracy(_FromCounts):
    """Mean recall of the classes that occur in the targets.

    Example:
        >>> metric = BalancedAccuracy()
        >>> metric.update([0, 0, 0, 0], [0, 0, 0, 1])
        >>> metric.compute()
        0.5
    """

    name = "balanced_accuracy"

    def _score(self, hits: Floats, true: Floats, guessed: Floats) -> float:
        occurs = true > 0
        return float((hits[occurs] / true[occurs]).mean())


class _Averaged(_FromCounts):
    """Base of the scores of single classes, with their averages."""

    def __init__(self, average: Average = "macro") -> None:
        if average not in ("macro", "micro", "binary"):
            raise worded(
                ConfigError,
                self.name,
                "average must be known",
                expected='"macro", "micro" or "binary"',
                got=shown(average),
                step="choose one of them",
            )
        super().__init__()
        self._average = average

    def _score(self, hits: Floats, true: Floats, guessed: Floats) -> float:
        if self._average == "micro":
            hits, true, guessed = (values.sum(keepdims=True) for values in (hits, true, guessed))
        elif self._average == "binary":
            if hits.size > 2:
                raise worded(
                    DataError,
                    self.name,
                    'average="binary" needs two classes',
                    expected="classes 0 and 1",
                    got=f"{hits.size} classes",
                    step='use average="macro"',
                )
            hits, true, guessed = (np.append(values, 0.0)[1:2] for values in (hits, true, guessed))
        else:
            seen = (true + guessed) > 0
            hits, true, guessed = hits[seen], true[seen], guessed[seen]
        parts = self._parts(true, guessed)
        ratio: Floats = np.divide(hits, parts, out=np.zeros_like(hits), where=parts > 0)
        return float(ratio.mean())

    def _parts(self, true: Floats, guessed: Floats) -> Floats:
        """Returns what the hits of each class are a share of."""
        raise NotImplementedError


class Precision(_Averaged):
    """Share of the rows predicted as a class that are of that class; 0 for a class that is never predicted.

    Args:
        average: `macro`, the mean over the classes that occur or are predicted; `micro`, over all rows; or `binary`,
            of class 1.

    Raises:
        ConfigError: an unknown average.

    Example:
        >>> metric = Precision("binary")
        >>> metric.update([1, 1, 0], [1, 0, 1])
        >>> metric.compute()
        0.5
    """

    name = "precision"

    def _parts(self, true: Floats, guessed: Floats) -> Floats:
        return guessed


class Recall(_Averaged):
    """Share of the rows of a class that are predicted as that class; 0 for a class that does not occur.

    Args:
        average: `macro`, the mean over the classes that occur or are predicted; `micro`, over all rows; or `binary`,
            of class 1.

    Raises:
        ConfigError: an unknown average.

    Example:
        >>> metric = Recall("binary")
        >>> metric.update([1, 1, 0], [1, 0, 1])
        >>> metric.compute()
        0.5
    """

    name = "recall"

    def _parts(self, true: Floats, guessed: Floats) -> Floats:
        return true


class F1(_Averaged):
    """Harmonic mean of precision and recall: `2 hits / (true + predicted)`.

    Args:
        average: `macro`, the mean over the classes that occur or are predicted; `micro`, over all rows; or `binary`,
            of class 1.

    Raises:
        ConfigError: an unknown average.

    Example:
        >>> metric = F1("binary")
        >>> metric.update([1, 1, 0], [1, 0, 1])
        >>> metric.compute()
        0.5
    """

    name = "f1"

    def _parts(self, true: Floats, guessed: Floats) -> Floats:
        return (true + guessed) / 2
