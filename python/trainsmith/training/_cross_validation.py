"""Runs folds through an executor and sums them up."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from trainsmith.data import Splitter
from trainsmith.data._wording import worded
from trainsmith.errors import CancelledError, ShapeError
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._metric_computer import DefaultMetricComputer
from trainsmith.training._protocols_validation import Executor, FutureLike, MetricComputer
from trainsmith.training._result import CVResult, ValidationResult
from trainsmith.training._serial_executor import SerialExecutor

R = TypeVar("R")
Rows = npt.NDArray[np.int64]
Array = npt.NDArray[Any]
FoldFunction = Callable[[Rows, Rows], npt.ArrayLike]

_POLL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """What `cross_validate` gives.

    Args:
        result: one result per fold with mean and standard deviation; `extensions["pooled_metrics"]` scores the
            out-of-fold predictions together, `extensions["failed_folds"]` lists the folds that failed.
        out_of_fold: the prediction of each row by a model that was not trained on it, shape (rows, ...), float64; NaN
            where there is none. Of a row in several tests the last counts.
        folds: training and test rows of each fold.

    Example:
        `cross_validate` shows one.
    """

    result: CVResult
    out_of_fold: npt.NDArray[np.float64]
    folds: tuple[tuple[Rows, Rows], ...]


def cross_validate(
    run: FoldFunction,
    x: Any,
    y: npt.ArrayLike,
    *,
    splitter: Splitter,
    groups: npt.ArrayLike | None = None,
    loss: str = "mse",
    metrics: MetricComputer | None = None,
    executor: Executor | None = None,
    ddof: int = 0,
    ctx: RunContext | None = None,
) -> CrossValidation:
    """Trains and tests one model per fold.

    Args:
        run: takes training and test rows, trains a new model on the former, and returns its predictions for the latter,
            in order. A process pool needs a function that can be pickled.
        x: what the splitter divides, with one entry per row.
        y: the truth, shape (rows, ...).
        splitter: makes the folds.
        groups: of the rows, where the splitter asks for them.
        loss: the name in `trainsmith.training.metrics.METRICS` of each fold's loss.
        metrics: further scores of each fold.
        executor: runs the folds; one after the other by default.
        ddof: 0 for the population standard deviation over the folds, 1 for the sample's.
        ctx: ends the work between folds; running folds are not waited for.

    Returns:
        Results and out-of-fold predictions. A fold that fails is listed with its error, has no loss, and is no part of
        mean and standard deviation.

    Raises:
        DataError: the splitter refuses the rows.
        NotRegistered: an unknown loss.
        CancelledError: the context was done.

    Example:
        >>> import numpy as np
        >>> from trainsmith.data import KFold
        >>> y = np.array([1.0, 1.0, 3.0, 3.0])
        >>> def mean_of(train, test):
        ...     return np.full(test.size, y[train].mean())
        >>> found = cross_validate(mean_of, y, y, splitter=KFold(2))
        >>> found.result.mean_loss, found.out_of_fold.tolist()
        (4.0, [3.0, 3.0, 1.0, 1.0])
    """
    started = time.perf_counter()
    raise_if_done(ctx, "cross_validate")
    true = np.asarray(y)
    losses = DefaultMetricComputer([loss])
    folds = tuple(splitter.split(x, true, groups))
    outcomes = run_all(
        executor or SerialExecutor(),
        _timed,
        [(run, train, test) for train, test in folds],
        ctx=ctx,
        op="cross_validate",
    )
    predictions = [_fitting(outcome, test) for outcome, (_, test) in zip(outcomes, folds, strict=True)]
    results: list[ValidationResult] = []
    for (_, test), (values, seconds) in zip(folds, predictions, strict=True):
        try:
            if isinstance(values, Exception):
                raise values
            scores = {} if metrics is None else dict(metrics.compute_metrics(values, true[test], ctx=ctx))
            value = losses.compute_metrics(values, true[test])[loss]
            results.append(
                ValidationResult(loss=value, metrics=scores, sample_count=test.size, validation_time_seconds=seconds)
            )
        except Exception as error:
            raise_if_done(ctx, "cross_validate")
            results.append(failed(error, test.size))
    pooled = _out_of_fold(true.shape[0], folds, [values for values, _ in predictions])
    extensions: dict[str, Any] = {}
    tested = ~np.isnan(pooled.reshape(pooled.shape[0], -1)).any(axis=1) if pooled.size else np.zeros(0, dtype=bool)
    if tested.any():
        scores = {} if metrics is None else dict(metrics.compute_metrics(pooled[tested], true[tested], ctx=ctx))
        extensions["pooled_metrics"] = {loss: losses.compute_metrics(pooled[tested], true[tested])[loss], **scores}
    result = summarise(results, ddof=ddof, seconds=time.perf_counter() - started, extensions=extensions)
    return CrossValidation(result=result, out_of_fold=pooled, folds=folds)


def run_all(
    executor: Executor,
    function: Callable[..., R],
    calls: Iterable[Sequence[Any]],
    *,
    ctx: RunContext | None,
    op: str,
) -> list[R | Exception]:
    """Runs calls through an executor.

    Args:
        executor: runs them.
        function: what to call.
        calls: the arguments of each call.
        ctx: ends the work between calls.
        op: who asks, for the message.

    Returns:
        The outcome of each call in order: what it returned, or the error that it raised.

    Raises:
        CancelledError: the context was done.

    Example:
        >>> run_all(SerialExecutor(), int, [["1"], ["x"]], ctx=None, op="test")[0]
        1
    """
    futures: list[FutureLike[R]] = []
    try:
        for arguments in calls:
            raise_if_done(ctx, op)
            futures.append(executor.submit(function, *arguments))
        return [_outcome(future, ctx, op) for future in futures]
    except CancelledError:
        for future in futures:
            getattr(future, "cancel", bool)()
        raise


def _outcome(future: FutureLike[R], ctx: RunContext | None, op: str) -> R | Exception:
    while True:
        try:
            return future.result(timeout=_POLL)
        except TimeoutError as error:
            if getattr(future, "done", lambda: False)():
                return error
            raise_if_done(ctx, op)
        except Exception as error:
            return error


def summarise(
    results: Sequence[ValidationResult],
    *,
    ddof: int = 0,
    seconds: float = 0.0,
    extensions: Mapping[str, Any] | None = None,
) -> CVResult:
    """Sums folds up.

    Args:
        results: one per fold; those without a loss count as failed.
        ddof: 0 for the population standard deviation, 1 for the sample's.
        seconds: wall-clock time.
        extensions: further entries.

    Returns:
        Mean and standard deviation over the folds that did not fail; None where there are too few.

    Example:
        >>> both = summarise([ValidationResult(loss=1.0), ValidationResult(loss=3.0)])
        >>> both.mean_loss, both.std_loss
        (2.0, 1.0)
    """
    finished = [one for one in results if one.loss is not None]
    names = sorted({name for one in finished for name in one.metrics})
    spread = {name: _mean_and_std([one.metrics.get(name) for one in finished], ddof) for name in names}
    mean, std = _mean_and_std([one.loss for one in finished], ddof)
    lost = [number for number, one in enumerate(results) if one.loss is None]
    return CVResult(
        mean_loss=mean,
        std_loss=std,
        mean_metrics={name: values[0] for name, values in spread.items()},
        std_metrics={name: values[1] for name, values in spread.items()},
        fold_results=tuple(results),
        total_time_seconds=seconds,
        extensions={**(extensions or {}), **({"failed_folds": lost} if lost else {})},
    )


def failed(error: Exception, rows: int) -> ValidationResult:
    """Makes the result of a fold that failed.

    Args:
        error: what went wrong.
        rows: its test rows.

    Returns:
        A result without a loss; `extensions["error"]` says what went wrong.

    Example:
        >>> failed(KeyError("x"), 3).extensions["error"]
        "KeyError: 'x'"
    """
    return ValidationResult(sample_count=rows, extensions={"error": f"{type(error).__name__}: {error}"})


def _timed(run: FoldFunction, train: Rows, test: Rows) -> tuple[npt.ArrayLike, float]:
    started = time.perf_counter()
    return run(train, test), time.perf_counter() - started


def _fitting(outcome: tuple[npt.ArrayLike, float] | Exception, test: Rows) -> tuple[Array | Exception, float]:
    """Returns predictions that have one row per test row, or an error."""
    if isinstance(outcome, Exception):
        return outcome, 0.0
    values: Array = np.asarray(outcome[0])
    if values.shape[:1] != (test.size,):
        error = worded(
            ShapeError,
            "cross_validate",
            "a fold must predict each of its test rows",
            expected=f"shape ({test.size}, ...)",
            got=str(values.shape),
            step="return one prediction per test row",
        )
        return error, outcome[1]
    return values, outcome[1]


def _out_of_fold(
    rows: int, folds: Sequence[tuple[Rows, Rows]], predictions: Sequence[Array | Exception]
) -> npt.NDArray[np.float64]:
    found = [
        (test, values) for (_, test), values in zip(folds, predictions, strict=True) if isinstance(values, np.ndarray)
    ]
    pooled = np.full((rows, *(found[0][1].shape[1:] if found else ())), np.nan)
    for test, values in found:
        if values.shape[1:] == pooled.shape[1:]:
            pooled[test] = values
    return pooled


def _mean_and_std(values: Sequence[float | None], ddof: int) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    mean = float(np.mean(known)) if known else None
    return mean, float(np.std(known, ddof=ddof)) if len(known) > ddof else None
