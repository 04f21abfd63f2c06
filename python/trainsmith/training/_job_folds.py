"""Cross-validation of a job: preprocessing, model and early stop anew in each fold."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data import (
    GroupKFold,
    KFold,
    Split,
    Splitter,
    Strategy,
    StratifiedKFold,
    TimeSeriesSplit,
    WalkForward,
    split_rows,
    window_purge,
)
from trainsmith.data._wording import worded
from trainsmith.errors import DataError
from trainsmith.training._arrays import outputs_of
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._cross_validation import failed, run_all, summarise
from trainsmith.training._job import run_job
from trainsmith.training._job_config import JobConfig
from trainsmith.training._metrics import classification_metrics, regression_metrics, softmax
from trainsmith.training._prepare import Loaded, encode, load, strata_of
from trainsmith.training._protocols_validation import Executor
from trainsmith.training._result import CVResult, ValidationResult
from trainsmith.training._serial_executor import SerialExecutor
from trainsmith.training._window_rows import time_order

_OP = "cross_validate_job"

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFolds:
    """What `cross_validate_job` gives.

    Args:
        result: one result per fold with mean and standard deviation; `extensions["pooled_metrics"]` scores the
            out-of-fold predictions together.
        rows: the data rows of the file that were predicted, counted from 0, shape (k,).
        predictions: of those rows, by models that were not trained on them: numbers in the target's unit, shape (k,),
            or probabilities, shape (k, classes).
        classes: the class labels; empty for regression.

    Example:
        `cross_validate_job` shows one.
    """

    result: CVResult
    rows: Ints
    predictions: Floats
    classes: tuple[str, ...]


def cross_validate_job(
    config: JobConfig,
    *,
    folds: int = 5,
    executor: Executor | None = None,
    ctx: RunContext | None = None,
) -> JobFolds:
    r"""Trains and tests the model of a job once per fold.

    The strategy of the split decides the folds: `random`, `stratified` and `group` give k folds; `chronological` gives
    k blocks that are predicted from the past; `walk_forward` gives windows of `train_size` and `test_size` rows. The
    last or a drawn part of each fold's training rows is its validation part, as `split.validation` says. Scalers,
    categories and windows are made anew from each fold's training rows.

    Args:
        config: the job; `split.test` is not used.
        folds: k, at least 2; `walk_forward` takes as many as fit.
        executor: runs the folds; one after the other by default. A process pool needs nothing more.
        ctx: ends the work between folds.

    Returns:
        Results and out-of-fold predictions. A fold that fails is listed with its error and is no part of the mean.

    Raises:
        DataError: the table does not fit the configuration or the folds.
        CancelledError: the context was done.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import JobConfig, cross_validate_job
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,y\n" + "".join(f"{i},{2 * i + 0.5}\n" for i in range(30)))
        >>> config = JobConfig.from_sections(
        ...     {"data": {"path": str(path), "target": "y"}, "training": {"num_epochs": 2}}
        ... )
        >>> found = cross_validate_job(config, folds=3)
        >>> len(found.result.fold_results), found.predictions.shape
        (3, (30,))
        >>> folder.cleanup()
    """
    started = time.perf_counter()
    raise_if_done(ctx, _OP)
    loaded = load(config)
    strategy, splits = fold_splits(config, loaded, folds)
    outcomes = run_all(
        executor or SerialExecutor(),
        _run_fold,
        [(config, loaded, split, strategy) for split in splits],
        ctx=ctx,
        op=_OP,
    )
    results: list[ValidationResult] = []
    found: list[tuple[Ints, Floats]] = []
    for outcome, split in zip(outcomes, splits, strict=True):
        if isinstance(outcome, Exception):
            results.append(failed(outcome, split.test.size))
        else:
            results.append(outcome[0])
            found.append(outcome[1:])
    classes = loaded.everything.classes
    rows = np.concatenate([one for one, _ in found]) if found else np.zeros(0, np.int64)
    values = np.concatenate([one for _, one in found]) if found else np.zeros(0)
    pooled: dict[str, Any] = {}
    if rows.size:
        labels = loaded.labels[rows]
        scores = (
            classification_metrics(values, labels.astype(np.int64))
            if classes
            else regression_metrics(values, loaded.everything.decode(labels.astype(np.float64)))
        )
        pooled = {"pooled_metrics": scores}
    order = np.argsort(rows, kind="stable")
    return JobFolds(
        result=summarise(results, seconds=time.perf_counter() - started, extensions=pooled),
        rows=loaded.rows_in_file[rows[order]],
        predictions=values[order],
        classes=classes,
    )


def fold_splits(config: JobConfig, loaded: Loaded, folds: int) -> tuple[Strategy, list[Split]]:
    """Divides rows into folds with a training, a validation and a test part each.

    Args:
        config: the job.
        loaded: its rows.
        folds: how many, where the strategy does not say it.

    Returns:
        How rows were divided, and the parts of each fold.

    Raises:
        DataError: too few rows.

    Example:
        `cross_validate_job` calls it.
    """
    data, split, table = config.data, config.split, loaded.table
    seed, count = split.random_seed, table.rows
    strategy = split.strategy
    if strategy == "auto":
        timed = bool(config.windows.size)
        strategy = "chronological" if timed else "stratified" if loaded.everything.classes else "random"
    in_time = strategy in ("chronological", "walk_forward")
    order = time_order(table, data.time, "")[0] if in_time else np.arange(count, dtype=np.int64)
    groups = list(table.column(data.group, "data.group")) if strategy == "group" else None
    labels = loaded.labels if loaded.everything.classes else strata_of(loaded.labels.astype(np.float64))
    purge = window_purge(config.windows.size, config.windows.horizon) if config.windows.size else 0
    splitter: Splitter
    match strategy:
        case "random":
            splitter = KFold(folds, shuffle=True, random_state=seed)
        case "stratified":
            splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        case "group":
            splitter = GroupKFold(folds)
        case "chronological":
            splitter = TimeSeriesSplit(folds, gap=purge)
        case "walk_forward":
            splitter = WalkForward(
                split.train_size, split.test_size, purge=max(split.purge, purge), embargo=split.embargo
            )
    made: list[Split] = []
    for train, test in splitter.split(order, labels, groups):
        inner = split_rows(
            train.size,
            strategy="chronological" if in_time else strategy,
            validation=split.validation_ratio,
            test=0.0,
            seed=seed,
            labels=labels[train] if strategy == "stratified" else None,
            groups=None if groups is None else [groups[int(row)] for row in train],
        )
        made.append(
            Split(
                train=np.sort(order[train[inner.train]]),
                validation=np.sort(order[train[inner.validation]]),
                test=np.sort(order[test]),
            )
        )
    return ("chronological" if in_time else strategy), made


def _run_fold(
    config: JobConfig, loaded: Loaded, split: Split, strategy: Strategy
) -> tuple[ValidationResult, Ints, Floats]:
    prepared = encode(config, loaded, split, strategy)
    if prepared.test is None:
        raise worded(
            DataError,
            _OP,
            "a fold must have test rows",
            expected="a window and its target",
            got="none",
            step="add rows, or use fewer folds",
        )
    outcome = run_job(config, prepared, stop=_never)
    outputs = outputs_of(outcome.model, prepared.test.x, config.run.device)
    scores: Mapping[str, float | None] = outcome.metrics["test"]
    result = ValidationResult(
        loss=scores["loss"],
        metrics={name: value for name, value in scores.items() if name != "loss" and value is not None},
        sample_count=prepared.split.test.size,
        validation_time_seconds=outcome.result.training_time_seconds,
        extensions={"best_epoch": outcome.result.best_epoch, "train_rows": prepared.split.train.size},
    )
    values = softmax(outputs) if prepared.target.classes else prepared.target.decode(outputs[:, 0])
    return result, prepared.split.test, values


def _never() -> bool:
    return False
