"""How closely predictions follow targets: linear and rank correlation."""

import math

import numpy as np

from trainsmith.training._protocols_validation import Values
from trainsmith.training.metrics._metric import Floats, check_rows, single_column


class Pearson:
    """Linear correlation of predictions and targets, in [-1, 1]; NaN where one of them does not vary.

    Example:
        >>> metric = Pearson()
        >>> metric.update([1.0, 2.0], [2.0, 4.0]); metric.update([3.0], [6.0])
        >>> round(metric.compute(), 12)
        1.0

    Source: co-moments of batches are merged as in Chan, Golub and LeVeque, 1979.
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows,) or (rows, 1)."""
        pair = np.stack(single_column("pearson", predictions, targets))
        rows = pair.shape[1]
        if not rows:
            return
        total = self._count + rows
        mean = pair.mean(axis=1)
        centred = pair - mean[:, np.newaxis]
        shift = mean - self._mean
        self._moments = self._moments + centred @ centred.T + np.outer(shift, shift) * (self._count * rows / total)
        self._mean = self._mean + shift * (rows / total)
        self._count = total

    def compute(self) -> float:
        """Returns the correlation."""
        check_rows("pearson", self._count)
        return _correlation(self._moments)

    def reset(self) -> None:
        """Forgets all rows."""
        self._count = 0
        self._mean: Floats = np.zeros(2)
        self._moments: Floats = np.zeros((2, 2))


class Spearman:
    """Correlation of the ranks of predictions and targets, in [-1, 1]; tied values share the mean of their ranks.

    It keeps all rows, as ranks need them. NaN where predictions or targets do not vary.

    Example:
        >>> metric = Spearman()
        >>> metric.update([1.0, 2.0, 3.0], [1.0, 8.0, 27.0])
        >>> round(metric.compute(), 12)
        1.0
    """

    def __init__(self) -> None:
        self.reset()

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch; both of one shape (rows,) or (rows, 1)."""
        self._parts.append(np.stack(single_column("spearman", predictions, targets)))

    def compute(self) -> float:
        """Returns the correlation of the ranks."""
        pair = np.concatenate(self._parts, axis=1) if self._parts else np.zeros((2, 0))
        check_rows("spearman", pair.shape[1])
        if np.isnan(pair).any():
            return math.nan
        ranks = np.stack([_ranks(values) for values in pair])
        centred = ranks - ranks.mean(axis=1, keepdims=True)
        return _correlation(centred @ centred.T)

    def reset(self) -> None:
        """Forgets all rows."""
        self._parts: list[Floats] = []


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place.ravel()]


def _correlation(moments: Floats) -> float:
    scale = math.sqrt(float(moments[0, 0])) * math.sqrt(float(moments[1, 1]))
    return min(1.0, max(-1.0, float(moments[0, 1]) / scale)) if scale > 0 else math.nan
