"""Errors of predicted numbers, in sums that merge exactly over batches of any sizes."""

import math
from collections.abc import Sequence

import numpy as np

from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, ShapeError
from trainsmith.training._protocols_validation import Values
from trainsmith.training.metrics._metric import Floats, check_rows, numbers_of


class MeanSquaredError:
    """Mean of `(prediction - target) ** 2` over all numbers.

    Example:
        >>> metric = MeanSquaredError()
        >>> metric.update([1.0, 2.0, 3.0], [1.0, 2.0, 5.0]); metric.update([1.0], [1.0])
        >>> metric.compute()
        1.0
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows, ...)."""
        predicted, true = numbers_of("mse", predictions, targets)
        self._total += float(((predicted - true) ** 2).sum())
        self._count += predicted.size

    def compute(self) -> float:
        """Returns the mean."""
        check_rows("mse", self._count)
        return self._total / self._count

    def reset(self) -> None:
        """Forgets all rows."""
        self._total, self._count = 0.0, 0


class RootMeanSquaredError:
    """Square root of the mean of `(prediction - target) ** 2` over all numbers.

    Example:
        >>> metric = RootMeanSquaredError()
        >>> metric.update([0.0, 0.0], [2.0, 2.0])
        >>> metric.compute()
        2.0
    """

    def __init__(self) -> None:
        self._squares = MeanSquaredError()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows, ...)."""
        self._squares.update(predictions, targets)

    def compute(self) -> float:
        """Returns the root."""
        return math.sqrt(self._squares.compute())

    def reset(self) -> None:
        """Forgets all rows."""
        self._squares.reset()


class MeanAbsoluteError:
    """Mean of `abs(prediction - target)` over all numbers.

    Example:
        >>> metric = MeanAbsoluteError()
        >>> metric.update([0.0, 0.0], [1.0, -2.0])
        >>> metric.compute()
        1.5
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows, ...)."""
        predicted, true = numbers_of("mae", predictions, targets)
        self._total += float(np.abs(predicted - true).sum())
        self._count += predicted.size

    def compute(self) -> float:
        """Returns the mean."""
        check_rows("mae", self._count)
        return self._total / self._count

    def reset(self) -> None:
        """Forgets all rows."""
        self._total, self._count = 0.0, 0


class R2:
    """Share of the targets' variance that is explained: `1 - sum((p - t) ** 2) / sum((t - mean(t)) ** 2)`.

    Several outputs are scored one by one and averaged. NaN where the targets do not vary.

    Example:
        >>> metric = R2()
        >>> metric.update([1.0, 2.0], [1.0, 3.0])
        >>> metric.compute()
        0.5

    Source: means and squares of batches are merged as in Chan, Golub and LeVeque, 1979.
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows,) or (rows, outputs)."""
        predicted, true = numbers_of("r2", predictions, targets)
        rows = true.shape[0]
        if not true.size:
            return
        predicted, true = (array.reshape(rows, -1) for array in (predicted, true))
        if not self._count:
            self._mean = self._spread = self._errors = np.zeros(true.shape[1])
        if true.shape[1] != self._mean.size:
            raise worded(
                ShapeError,
                "r2",
                "every batch must have the same outputs",
                expected=str(self._mean.size),
                got=str(true.shape[1]),
                step="reset the metric first",
            )
        total = self._count + rows
        mean = true.mean(axis=0)
        shift = mean - self._mean
        self._spread = self._spread + ((true - mean) ** 2).sum(axis=0) + shift**2 * (self._count * rows / total)
        self._mean = self._mean + shift * (rows / total)
        self._errors = self._errors + ((predicted - true) ** 2).sum(axis=0)
        self._count = total

    def compute(self) -> float:
        """Returns the score, at most 1."""
        check_rows("r2", self._count)
        if not np.all(self._spread > 0):
            return math.nan
        return float((1 - self._errors / self._spread).mean())

    def reset(self) -> None:
        """Forgets all rows."""
        self._count = 0
        self._mean: Floats = np.zeros(0)
        self._spread: Floats = np.zeros(0)
        self._errors: Floats = np.zeros(0)


class Pinball:
    """Mean of `max(q e, (q - 1) e)`, e = target - prediction: the loss whose minimum is the q-quantile.

    Args:
        quantile: q in (0, 1), for predictions in the shape of the targets; or several, for predictions of shape
            (rows, quantiles) and targets of shape (rows,) or (rows, 1).

    Raises:
        ConfigError: a quantile outside (0, 1), or none.

    Example:
        >>> metric = Pinball([0.1, 0.5, 0.9])
        >>> metric.update([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [2.0, -1.0])
        >>> round(metric.compute(), 6)
        0.283333

    Source: Koenker and Bassett, Regression Quantiles, 1978.
    """

    def __init__(self, quantile: float | Sequence[float] = 0.5) -> None:
        self._several = not isinstance(quantile, int | float)
        self._quantiles = np.atleast_1d(np.asarray(quantile, dtype=np.float64))
        if not self._quantiles.size or not ((self._quantiles > 0) & (self._quantiles < 1)).all():
            raise worded(
                ConfigError,
                "pinball",
                "quantiles must lie between 0 and 1",
                expected="numbers in (0, 1)",
                got=str(quantile),
                step="change them",
            )
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch."""
        if self._several:
            true = np.asarray(targets, dtype=np.float64)
            if true.ndim == 1 or true.shape[1:] == (1,):
                targets = np.repeat(true.reshape(-1, 1), self._quantiles.size, axis=1)
        predicted, true = numbers_of("pinball", predictions, targets)
        error = true - predicted
        self._total += float(np.maximum(self._quantiles * error, (self._quantiles - 1) * error).sum())
        self._count += predicted.size

    def compute(self) -> float:
        """Returns the mean."""
        check_rows("pinball", self._count)
        return self._total / self._count

    def reset(self) -> None:
        """Forgets all rows."""
        self._total, self._count = 0.0, 0
