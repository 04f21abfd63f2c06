"""Folds of any data provider, and a workflow trained and validated on each."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Generic

import numpy as np

from trainsmith.data import (
    GroupKFold,
    KFold,
    PurgedKFold,
    Splitter,
    StratifiedKFold,
    TimeSeriesSplit,
    WalkForward,
    window_purge,
)
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError
from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._config import WorkflowConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._cross_validation import Rows, failed, run_all, summarise
from trainsmith.training._element import T
from trainsmith.training._experiment_config import CVConfig
from trainsmith.training._materialise import materialise
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._protocols_validation import Executor
from trainsmith.training._protocols_workflow import ModelProvider, TrainingWorkflow
from trainsmith.training._result import CVResult, ValidationResult
from trainsmith.training._serial_executor import SerialExecutor

_OP = "cross_validator"

STRATEGIES = ("k_fold", "stratified", "group", "time_series", "purged", "walk_forward")

WorkflowMaker = Callable[[], TrainingWorkflow[T]]


class DefaultCrossValidator(Generic[T]):
    """Divides rows by a `CVConfig` and runs the folds through an executor.

    Args:
        workflow: makes a new workflow for each fold; needed for `validate_model` only. A process pool needs a function
            that can be pickled.
        workflow_config: how each workflow trains.
        executor: runs the folds; one after the other by default.
        strategy: the one way to divide rows, which a `CVConfig` may leave at its default; None takes that of each
            `CVConfig`.

    Raises:
        ConfigError: an unknown strategy.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import ArrayDataProvider, CVConfig
        >>> rows = ArrayDataProvider(np.zeros((12, 2)), np.zeros(12))
        >>> folds = DefaultCrossValidator().create_folds(rows, CVConfig(strategy="time_series", num_folds=3))
        >>> [fold.metadata()["valid_rows"].tolist() for fold in folds]
        [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    """

    def __init__(
        self,
        workflow: "WorkflowMaker[T] | None" = None,
        *,
        workflow_config: WorkflowConfig | None = None,
        executor: Executor | None = None,
        strategy: str | None = None,
    ) -> None:
        if strategy is not None and strategy not in STRATEGIES:
            raise worded(
                ConfigError,
                _OP,
                "the strategy must be known",
                expected=" or ".join(map(shown, STRATEGIES)),
                got=shown(strategy),
                step="choose one of them",
            )
        self._strategy = strategy
        self._workflow = workflow
        self._config = workflow_config or WorkflowConfig()
        self._executor = executor or SerialExecutor()

    def create_folds(
        self, dataset: DataProvider[T], config: CVConfig, *, ctx: RunContext | None = None
    ) -> "list[DataFold[T]]":
        """Divides the training rows into folds; see `CrossValidator.create_folds`.

        `group` takes the column or metadata entry `config.group_by`, or else `group`; `stratified` takes the targets.
        Windows, which say so by the metadata `window_len`, `horizon` and `stride`, need a gap in which none spans the
        border of a fold.

        Raises:
            ConfigError: no groups, settings that exclude each other, or windows without their gap.
            DataError: too few rows or groups.
            CancelledError: the context was done.
        """
        raise_if_done(ctx, "create_folds")
        config = self._chosen(config)
        rows = materialise(dataset, ctx=ctx)
        groups = None
        if config.strategy == "group":
            name = config.group_by or "group"
            groups = rows.column(name)
            if groups is None:
                raise worded(
                    ConfigError,
                    _OP,
                    "a group split needs the group of each row",
                    expected=f"a column {shown(name)} of the data set",
                    got="none",
                    step="pass columns to the data provider, or set group_by",
                )
        _check_windows(config, rows.get_metadata())
        y = rows.targets.reshape(rows.rows, -1)[:, 0] if config.strategy == "stratified" else None
        splitter = splitter_of(config, rows.rows)
        return [
            DataFold(index, rows, train, test, config.strategy)
            for index, (train, test) in enumerate(splitter.split(rows.targets, y, groups))
        ]

    def validate_model(
        self,
        dataset: DataProvider[T],
        model_provider: ModelProvider[T],
        config: CVConfig,
        *,
        ctx: RunContext | None = None,
    ) -> CVResult:
        """Trains and validates one model per fold; see `CrossValidator.validate_model`.

        A workflow sees the validation rows of its fold after training only. A fold that fails is listed with its error
        in `extensions["error"]` and is no part of mean and standard deviation. `extensions["out_of_fold"]` holds the
        predictions of all folds where the workflow gives them.

        Raises:
            ConfigError: there is no workflow.
            CancelledError: the context was done.
        """
        if self._workflow is None:
            raise worded(
                ConfigError,
                _OP,
                "validation needs a workflow",
                expected="a function that makes one",
                got="none",
                step="pass workflow=... to the cross-validator",
            )
        started = time.perf_counter()
        folds = self.create_folds(dataset, config, ctx=ctx)
        # A context holds locks, so it reaches the folds of this process only.
        shared = ctx if isinstance(self._executor, SerialExecutor | ThreadPoolExecutor) else None
        calls = [(self._workflow, self._config, fold, model_provider, shared) for fold in folds]
        outcomes = run_all(self._executor, _validate_fold, calls, ctx=ctx, op="validate_model")
        raise_if_done(ctx, "validate_model")
        results: list[ValidationResult] = []
        predicted: dict[int, Any] = {}
        for fold, outcome in zip(folds, outcomes, strict=True):
            if isinstance(outcome, Exception):
                results.append(failed(outcome, fold.valid_rows.size))
                continue
            extensions = dict(outcome.extensions)
            values = extensions.pop("predictions", None)
            if values is not None and len(values) == fold.valid_rows.size:
                predicted.update(zip(fold.valid_rows.tolist(), np.asarray(values).tolist(), strict=True))
            results.append(replace(outcome, extensions=extensions))
        rows = max((int(rows.max()) + 1 for fold in folds for rows in (fold.train_rows, fold.valid_rows)), default=0)
        extra = {"out_of_fold": [predicted.get(row) for row in range(rows)]} if predicted else {}
        return summarise(results, ddof=config.ddof, seconds=time.perf_counter() - started, extensions=extra)

    def _chosen(self, config: CVConfig) -> CVConfig:
        if self._strategy is None or config.strategy == self._strategy:
            return config
        if config.strategy != CVConfig().strategy:
            raise worded(
                ConfigError,
                _OP,
                f"this cross-validator divides rows by {self._strategy}",
                expected=f"strategy = {shown(self._strategy)}",
                got=shown(config.strategy),
                step="leave the strategy out, or use the cross-validator of that name",
            )
        return CVConfig.from_dict({**config.to_dict(), "strategy": self._strategy})


class DataFold(Generic[T]):
    """One fold of an `ArrayDataProvider`; its data are made when they are asked for.

    Args:
        index: the fold's number.
        rows: all rows.
        train: training rows.
        valid: validation rows.
        strategy: how the rows were divided.

    Example:
        `DefaultCrossValidator` makes them.
    """

    def __init__(self, index: int, rows: ArrayDataProvider[T], train: Rows, valid: Rows, strategy: str) -> None:
        self.train_rows = train
        self.valid_rows = valid
        self._index = index
        self._rows = rows
        self._strategy = strategy

    def train_data(self) -> ArrayDataProvider[T]:
        """Returns the training rows; they hold no validation rows, which stay unseen until the model is trained."""
        return self._rows.take(self.train_rows)

    def valid_data(self) -> ArrayDataProvider[T]:
        """Returns the validation rows, as training and as validation data."""
        return self._rows.take(self.valid_rows, validation=self.valid_rows)

    def fold_index(self) -> int:
        """Returns the fold's number, counted from 0."""
        return self._index

    def metadata(self) -> Mapping[str, Any]:
        """Returns `train_rows`, `valid_rows` and `strategy`."""
        return {
            "train_rows": self.train_rows.copy(),
            "valid_rows": self.valid_rows.copy(),
            "strategy": self._strategy,
        }


def _check_windows(config: CVConfig, metadata: Mapping[str, Any]) -> None:
    """Refuses folds in which a window of the training rows shares steps with one of the validation rows."""
    size = metadata.get("window_len")
    if size is None or config.strategy == "group":
        return
    steps = window_purge(int(size), int(metadata.get("horizon", 0)))
    gap = -(-steps // int(metadata.get("stride", 1)))
    if config.strategy == "stratified" or config.shuffle or config.purge_gap < gap:
        raise worded(
            ConfigError,
            _OP,
            "folds of windows must not overlap",
            expected=f"folds in time order with purge_gap of at least {gap}",
            got=f"{config.strategy}{' with shuffle' if config.shuffle else ''} and purge_gap {config.purge_gap}",
            step=f"set purge_gap = {gap} and leave the order",
        )


def splitter_of(config: CVConfig, rows: int) -> Splitter:
    """Makes the splitter of a configuration.

    Args:
        config: strategy and numbers.
        rows: the number of rows, of which a share may be tested.

    Returns:
        The splitter.

    Raises:
        ConfigError: `shuffle` with a gap.
        DataError: too few rows.

    Example:
        >>> splitter_of(CVConfig(num_folds=3), 10).get_n_splits()
        3
    """
    folds, gap = config.num_folds, config.purge_gap
    seed = config.random_seed if config.shuffle else None
    test = int(config.test_size) if config.test_size >= 1 else config.test_size or None
    if config.shuffle and (config.strategy not in ("k_fold", "stratified") or gap):
        raise worded(
            ConfigError,
            _OP,
            "only k_fold and stratified without purge_gap can shuffle",
            expected="shuffle = false",
            got=f"shuffle with {config.strategy} and purge_gap {gap}",
            step="remove one of them",
        )
    match config.strategy:
        case "k_fold":
            return PurgedKFold(folds, purge=gap) if gap else KFold(folds, shuffle=config.shuffle, random_state=seed)
        case "stratified":
            return StratifiedKFold(folds, shuffle=config.shuffle, random_state=seed)
        case "group":
            return GroupKFold(folds)
        case "time_series":
            return TimeSeriesSplit(folds, test_size=test, gap=gap)
        case "purged":
            return PurgedKFold(folds, purge=gap, embargo=config.embargo)
        case "walk_forward":
            size = rows // (folds + 1) if test is None else max(1, int(rows * test)) if test < 1 else int(test)
            train = config.train_size or rows - folds * size - gap
            if size < 1 or train < 1:
                raise worded(
                    DataError,
                    _OP,
                    "walk_forward must leave rows to train on",
                    expected=f"more than {folds} test windows and a gap of {gap} rows",
                    got=f"{rows} rows and test windows of {size}",
                    step="make test_size smaller",
                )
            return WalkForward(train, size, purge=gap, embargo=config.embargo, expanding=config.expanding)


def _validate_fold(
    make: WorkflowMaker[T],
    config: WorkflowConfig,
    fold: DataFold[T],
    model_provider: ModelProvider[T],
    ctx: RunContext | None,
) -> ValidationResult:
    workflow = make()
    try:
        workflow.initialize(config, ctx=ctx)
        result = workflow.train(fold.train_data(), model_provider, ctx=ctx)
        if result.status == "interrupted" and not (ctx is not None and ctx.done):
            # A Ctrl-C ended this fold; the others must not start.
            raise KeyboardInterrupt
        return workflow.validate(fold.valid_data(), model_provider, ctx=ctx)
    finally:
        workflow.shutdown(ctx=ctx)
