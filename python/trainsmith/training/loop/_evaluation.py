"""Forward-only measurement of a model over batches."""

import time
from collections.abc import Callable, Iterable, Mapping
from math import nan
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._protocols_data import DataIterator
from trainsmith.training._protocols_validation import MetricComputer
from trainsmith.training._result import ValidationResult
from trainsmith.training.loop._learner import Learner
from trainsmith.training.metrics import MetricSet


class Validate(Protocol):
    """Measures the model as it is and changes nothing."""

    def __call__(self, *, limit: int | None = None, ctx: RunContext | None = None) -> ValidationResult | None:
        """Measures.

        Args:
            limit: at most so many batches; None for all.
            ctx: may end the work early.

        Returns:
            The outcome; None where there are no validation rows.
        """
        ...


class BatchValidation:
    """Validates over the batches of an iterator.

    The loss is the mean over rows, by their weights where they have some; metrics count all rows alike.

    Args:
        learner: has the model.
        data: the validation batches; it is reset first.
        metrics: names of streaming metrics.
        computer: computes metrics of all predictions together; None for none.
        metadata: what the computer may need.
        keep_predictions: whether `extensions["predictions"]` has the output for each row, in order.

    Example:
        `StandardWorkflow` uses it.
    """

    def __init__(
        self,
        learner: Learner,
        data: DataIterator[Any],
        *,
        metrics: Iterable[str] = (),
        computer: MetricComputer | None = None,
        metadata: Mapping[str, Any] | None = None,
        keep_predictions: bool = False,
    ) -> None:
        self._learner = learner
        self._data = data
        self._names = tuple(metrics)
        self._metrics = MetricSet(self._names)
        self._computer = computer
        self._metadata = metadata or {}
        self._keep = keep_predictions

    def over(self, data: DataIterator[Any]) -> "BatchValidation":
        """Makes the same validation over other batches.

        Args:
            data: the batches.

        Returns:
            The validation.
        """
        return BatchValidation(
            self._learner,
            data,
            metrics=self._names,
            computer=self._computer,
            metadata=self._metadata,
            keep_predictions=self._keep,
        )

    def __call__(self, *, limit: int | None = None, ctx: RunContext | None = None) -> ValidationResult | None:
        """Measures; see `Validate`."""
        raise_if_done(ctx, "validate")
        started = time.perf_counter()
        self._metrics.reset()
        self._data.reset()
        total, amounts, rows, batches = 0.0, 0.0, 0, 0
        outputs: list[npt.NDArray[Any]] = []
        targets: list[npt.NDArray[Any]] = []
        with self._learner.evaluating():
            while (limit is None or batches < limit) and self._data.next(ctx=ctx):
                batch = self._data.batch()
                assert batch is not None, "next() was True"
                loss, output = self._learner.evaluate_step(batch, ctx=ctx)
                predicted, true = np.asarray(output), np.asarray(batch.targets)
                self._metrics.update(predicted, true)
                if self._computer is not None or self._keep:
                    outputs.append(predicted)
                    targets.append(true)
                amount = float(self._learner.amount(batch))
                total += amount * float(loss)
                amounts += amount
                rows += batch.rows
                batches += 1
        error = self._data.error()
        if error is not None:
            raise error
        if not rows:
            return None
        metrics = self._metrics.compute()
        predictions = np.concatenate(outputs) if outputs else None
        if self._computer is not None and predictions is not None:
            metrics |= self._computer.compute_metrics(predictions, np.concatenate(targets), self._metadata, ctx=ctx)
        return ValidationResult(
            loss=total / amounts if amounts else nan,
            metrics=metrics,
            sample_count=rows,
            validation_time_seconds=time.perf_counter() - started,
            extensions={"predictions": predictions} if self._keep else {},
        )


def validate_function(function: Callable[[], tuple[float, Mapping[str, float | None]]]) -> Validate:
    """Makes a validation of a function that measures all rows at once.

    Args:
        function: returns loss and metrics.

    Returns:
        The validation; it has no batches to limit.

    Example:
        >>> validate_function(lambda: (0.5, {}))().loss
        0.5
    """

    def validate(*, limit: int | None = None, ctx: RunContext | None = None) -> ValidationResult:
        del limit
        raise_if_done(ctx, "validate")
        started = time.perf_counter()
        loss, metrics = function()
        return ValidationResult(loss=loss, metrics=metrics, validation_time_seconds=time.perf_counter() - started)

    return validate
