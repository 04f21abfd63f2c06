"""Metrics that take batches of any sizes and give the value over all rows."""

from trainsmith.training.metrics._association import Pearson, Spearman
from trainsmith.training.metrics._confusion import (
    F1,
    Accuracy,
    BalancedAccuracy,
    ConfusionMatrix,
    Precision,
    Recall,
)
from trainsmith.training.metrics._metric import Metric
from trainsmith.training.metrics._ranking import AveragePrecision, LogLoss, RocAuc
from trainsmith.training.metrics._regression import (
    R2,
    MeanAbsoluteError,
    MeanSquaredError,
    Pinball,
    RootMeanSquaredError,
)
from trainsmith.training.metrics._table import METRICS, MetricSet, make_metric

__all__ = [
    "F1",
    "METRICS",
    "R2",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "ConfusionMatrix",
    "LogLoss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "MetricSet",
    "Pearson",
    "Pinball",
    "Precision",
    "Recall",
    "RocAuc",
    "RootMeanSquaredError",
    "Spearman",
    "make_metric",
]
