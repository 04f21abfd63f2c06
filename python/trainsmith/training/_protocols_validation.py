"""What judges a model: metrics, folds, cross-validation, and who runs the folds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar, runtime_checkable

import numpy.typing as npt

from trainsmith._core import Tensor
from trainsmith.training._context import RunContext
from trainsmith.training._element import T, T_co
from trainsmith.training._experiment_config import CVConfig
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._protocols_workflow import ModelProvider
from trainsmith.training._result import CVResult

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Values = Tensor | npt.ArrayLike
MetricFunction = Callable[[Values, Values, Mapping[str, Any]], float]
"""One metric: predictions, targets and metadata to a number."""


@runtime_checkable
class MetricComputer(Protocol):
    """Computes named metrics. Laws: `trainsmith.testing.check_metric_computer`."""

    def compute_metrics(
        self,
        predictions: Values,
        targets: Values,
        metadata: Mapping[str, Any] | None = None,
        *,
        ctx: RunContext | None = None,
    ) -> Mapping[str, float]:
        """Computes every registered metric.

        Args:
            predictions: the model's output, shape (rows, ...).
            targets: the truth, shape (rows, ...).
            metadata: further entries for the metrics.
            ctx: may end the work between two metrics.

        Returns:
            Value by name, one per registered metric.
        """
        ...

    def register_metric(self, name: str, metric: MetricFunction) -> None:
        """Adds a metric; one of the same name is replaced.

        Args:
            name: not empty.
            metric: predictions, targets and metadata to a number.
        """
        ...

    def unregister_metric(self, name: str) -> None:
        """Removes a metric; an unknown name changes nothing.

        Args:
            name: the metric.
        """
        ...

    def available_metrics(self) -> Sequence[str]:
        """Returns the registered names, sorted."""
        ...


@runtime_checkable
class Fold(Protocol[T_co]):
    """One fold of a cross-validation. Laws: `trainsmith.testing.check_fold`."""

    def train_data(self) -> DataProvider[T_co]:
        """Returns what to train on; it shares no row with `valid_data`."""
        ...

    def valid_data(self) -> DataProvider[T_co]:
        """Returns what to validate on."""
        ...

    def fold_index(self) -> int:
        """Returns the fold's number, counted from 0."""
        ...

    def metadata(self) -> Mapping[str, Any]:
        """Returns what is known about the fold, such as its rows."""
        ...


@runtime_checkable
class CrossValidator(Protocol[T]):
    """Makes folds and validates a model over them. Laws: `trainsmith.testing.check_cross_validator`."""

    def create_folds(
        self, dataset: DataProvider[T], config: CVConfig, *, ctx: RunContext | None = None
    ) -> Sequence[Fold[T]]:
        """Divides the training rows of a data set into folds.

        Args:
            dataset: the rows, in their order.
            config: strategy and number.
            ctx: may end the work early.

        Returns:
            The folds, numbered from 0.
        """
        ...

    def validate_model(
        self,
        dataset: DataProvider[T],
        model_provider: ModelProvider[T],
        config: CVConfig,
        *,
        ctx: RunContext | None = None,
    ) -> CVResult:
        """Trains and validates one model per fold.

        Args:
            dataset: the rows.
            model_provider: makes the models.
            config: strategy and number of the folds.
            ctx: may end the work early.

        Returns:
            One result per fold, failed folds too, with mean and standard deviation.
        """
        ...


class FutureLike(Protocol[R_co]):
    """What `Executor.submit` returns; `concurrent.futures.Future` is one."""

    def result(self, timeout: float | None = None) -> R_co:
        """Waits for the outcome of the call, and returns or raises it.

        Args:
            timeout: seconds; None waits without a limit.
        """
        ...


class Executor(Protocol):
    """Runs calls, perhaps at the same time; every executor of `concurrent.futures` is one."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> FutureLike[R]:
        """Schedules a call.

        Args:
            fn: the function.
            args: its arguments.
            kwargs: its keyword arguments.

        Returns:
            The outcome to come.
        """
        ...
