"""Named metrics of whole arrays."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from trainsmith.data._wording import shown, worded
from trainsmith.errors import RegistryError
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._protocols_validation import MetricFunction, Values
from trainsmith.training.metrics import make_metric


class DefaultMetricComputer:
    """Computes the metrics that are registered; every method may be called from any thread.

    Args:
        metrics: names of `trainsmith.training.metrics.METRICS` to begin with.

    Raises:
        NotRegistered: an unknown name.

    Example:
        >>> computer = DefaultMetricComputer(["mse"])
        >>> computer.register_metric("bias", lambda predictions, targets, metadata: float(predictions[0] - targets[0]))
        >>> dict(computer.compute_metrics([3.0], [1.0]))
        {'bias': 2.0, 'mse': 4.0}
    """

    def __init__(self, metrics: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._metrics: dict[str, MetricFunction] = {name: _whole(name) for name in metrics}

    def compute_metrics(
        self,
        predictions: Values,
        targets: Values,
        metadata: Mapping[str, Any] | None = None,
        *,
        ctx: RunContext | None = None,
    ) -> dict[str, float]:
        """Computes every registered metric, in the order of the names; see `MetricComputer.compute_metrics`."""
        with self._lock:
            metrics = sorted(self._metrics.items())
        values: dict[str, float] = {}
        for name, metric in metrics:
            raise_if_done(ctx, "compute_metrics")
            values[name] = float(metric(predictions, targets, metadata or {}))
        return values

    def register_metric(self, name: str, metric: MetricFunction) -> None:
        """Adds a metric; one of the same name is replaced.

        Args:
            name: not empty.
            metric: predictions, targets and metadata to a number.

        Raises:
            RegistryError: an empty name, or a metric that cannot be called.
        """
        if not name.strip() or not callable(metric):
            raise worded(
                RegistryError,
                "register_metric",
                "a metric needs a name and a function",
                expected="a text and a function of predictions, targets and metadata",
                got=f"{shown(name)} and {shown(metric)}",
                step="pass both",
            )
        with self._lock:
            self._metrics[name] = metric

    def unregister_metric(self, name: str) -> None:
        """Removes a metric; an unknown name changes nothing.

        Args:
            name: the metric.
        """
        with self._lock:
            self._metrics.pop(name, None)

    def available_metrics(self) -> list[str]:
        """Returns the registered names, sorted."""
        with self._lock:
            return sorted(self._metrics)


def _whole(name: str) -> MetricFunction:
    """Makes a function of a metric that takes all rows at once."""
    make_metric(name)

    def metric(predictions: Values, targets: Values, metadata: Mapping[str, Any]) -> float:
        whole = make_metric(name)
        whole.update(predictions, targets)
        return whole.compute()

    return metric
