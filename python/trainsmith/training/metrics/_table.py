"""Metrics by name."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import cast

from trainsmith.data._nearest import nearest
from trainsmith.data._wording import shown, worded
from trainsmith.errors import NotRegistered
from trainsmith.training._protocols_validation import Values
from trainsmith.training.metrics._association import Pearson, Spearman
from trainsmith.training.metrics._confusion import F1, Accuracy, BalancedAccuracy, Precision, Recall
from trainsmith.training.metrics._metric import Metric
from trainsmith.training.metrics._ranking import AveragePrecision, LogLoss, RocAuc
from trainsmith.training.metrics._regression import (
    R2,
    MeanAbsoluteError,
    MeanSquaredError,
    Pinball,
    RootMeanSquaredError,
)

METRICS: Mapping[str, Callable[[], Metric]] = MappingProxyType(
    {
        "accuracy": Accuracy,
        "average_precision": AveragePrecision,
        "balanced_accuracy": BalancedAccuracy,
        "f1_macro": F1,
        "f1_micro": partial(F1, "micro"),
        "log_loss": LogLoss,
        "mae": MeanAbsoluteError,
        "mse": MeanSquaredError,
        "pearson": Pearson,
        "pinball": Pinball,
        "precision_macro": Precision,
        "precision_micro": partial(Precision, "micro"),
        "r2": R2,
        "recall_macro": Recall,
        "recall_micro": partial(Recall, "micro"),
        "rmse": RootMeanSquaredError,
        "roc_auc": RocAuc,
        "spearman": Spearman,
    }
)
"""How each named metric is made."""


def make_metric(name: str) -> Metric:
    """Makes a metric.

    Args:
        name: one of `METRICS`.

    Returns:
        A new metric without rows.

    Raises:
        NotRegistered: an unknown name.

    Example:
        >>> metric = make_metric("mae")
        >>> metric.update([1.0], [3.0])
        >>> metric.compute()
        2.0
    """
    if name not in METRICS:
        raise worded(
            NotRegistered,
            "metric",
            f"metric {shown(name)} is not registered",
            expected="the name of a metric",
            got=shown(name),
            step=nearest(name, METRICS),
        )
    return METRICS[name]()


class MetricSet:
    """Several metrics over the same rows.

    Args:
        metrics: names of `METRICS`, or metrics by name.

    Raises:
        NotRegistered: an unknown name.

    Example:
        >>> scores = MetricSet(["mse", "mae"])
        >>> scores.update([1.0, 2.0], [1.0, 4.0])
        >>> scores.compute()
        {'mse': 2.0, 'mae': 1.0}
    """

    def __init__(self, metrics: Iterable[str] | Mapping[str, Metric]) -> None:
        if isinstance(metrics, Mapping):
            self._metrics = dict(cast(Mapping[str, Metric], metrics))
        else:
            self._metrics = {name: make_metric(name) for name in metrics}

    def update(self, predictions: Values, targets: Values) -> None:
        """Takes a batch.

        Args:
            predictions: the model's output, shape (rows, ...).
            targets: the truth, shape (rows, ...).
        """
        for metric in self._metrics.values():
            metric.update(predictions, targets)

    def compute(self) -> dict[str, float]:
        """Returns the value of each metric over all rows so far."""
        return {name: metric.compute() for name, metric in self._metrics.items()}

    def reset(self) -> None:
        """Forgets all rows."""
        for metric in self._metrics.values():
            metric.reset()
