"""Trains a model on the arrays of one split."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data import Permutation
from trainsmith.training._array_iterator import ArrayIterator
from trainsmith.training._arrays import Arrays, evaluate
from trainsmith.training._config import WorkflowConfig
from trainsmith.training._context import RunContext
from trainsmith.training._early_stopping import EarlyStopConfig, EarlyStopping
from trainsmith.training._graph import Graph
from trainsmith.training._optimization import make_optimizer, make_scheduler
from trainsmith.training._result import EpochRecord, TrainingResult
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig
from trainsmith.training._trainer import DefaultTrainer
from trainsmith.training._weighted_rows import WeightedMeanStrategy
from trainsmith.training.checkpoints import CheckpointConfig, CheckpointStore
from trainsmith.training.loop import (
    Callback,
    LoopConfig,
    Scheduling,
    TrainerLearner,
    TrainingLoop,
    validate_function,
)


def fit(
    model: nn.Module,
    train: Arrays,
    validation: Arrays | None = None,
    *,
    config: WorkflowConfig,
    optimizer: OptimizerConfig | None = None,
    schedule: ScheduleConfig | None = None,
    device: str = "cpu",
    target_scale: tuple[float, float] = (0.0, 1.0),
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    stop: Callable[[], bool] | None = None,
    callbacks: Iterable[Callback] = (),
    loop: LoopConfig | None = None,
    checkpoints: CheckpointConfig | None = None,
    resume: bool = False,
    fingerprint: Mapping[str, Any] | None = None,
    ctx: RunContext | None = None,
) -> TrainingResult:
    """Trains a model in place and leaves it with its best weights.

    With validation rows, training stops after `max_no_improve` epochs in which the validation loss did not fall by more
    than `early_stop_tolerance`, and the weights of the epoch with the lowest validation loss are restored. Without, all
    epochs run and the last weights stay.

    Args:
        model: from shape (rows, features) to (rows, classes) or (rows, 1); on `device`.
        train: the training rows.
        validation: the validation rows.
        config: epochs, rate, early stopping, seed of the batches and batch size.
        optimizer: which optimizer; AdamW by default.
        schedule: the rate over the epochs; constant by default.
        device: where the model is.
        target_scale: mean and standard deviation of the regression target, to give metrics in its unit.
        on_step: called after each step with the steps done in the epoch and their number.
        on_epoch: called after each epoch.
        stop: asked after each step; True ends the run after that step. Without it the first Ctrl-C or SIGTERM does.
        callbacks: watch and steer.
        loop: further limits and switches; its `max_epochs` gives way to `config.num_epochs`.
        checkpoints: where and when to save the state of the run; None for never.
        resume: whether to go on from the newest whole checkpoint, where there is one.
        fingerprint: what must be the same when a run goes on, beside rows and settings; plain values.
        ctx: ends the run after the current step once it is done.

    Returns:
        The result. After a stop its status is `interrupted`; an unfinished epoch counts only where none finished.

    Raises:
        CancelledError: the context was done before the first step.
        DataError: there are no rows, or the loss is no longer finite.
        IoError: a checkpoint cannot be written, or is of another run.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.training import Arrays, WorkflowConfig, fit
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> result = fit(nn.Linear(1, 1), Arrays(x=x, y=2 * x), config=WorkflowConfig(num_epochs=3))
        >>> result.total_epochs, result.status
        (3, 'completed')
    """
    worker = make_optimizer(optimizer or OptimizerConfig(), model.parameters(), config.learning_rate)
    scheduler = make_scheduler(schedule or ScheduleConfig(), worker, config.num_epochs)
    graph = Graph(model)
    patience = config.max_no_improve if validation is not None else 0
    data = _batches(train, config, device)

    learner = TrainerLearner(_trainer(graph, train, worker), graph, worker, by_weight=False)

    def measure() -> tuple[float, Mapping[str, float | None]]:
        assert validation is not None, "called with validation rows only"
        with learner.evaluating():
            return evaluate(model, validation, device=device, mean=target_scale[0], std=target_scale[1])

    batches = _batch_count(train.rows, config)
    run = TrainingLoop(
        learner,
        data,
        config=LoopConfig.from_dict({**(loop or LoopConfig()).to_dict(), "max_epochs": config.num_epochs}),
        validate=None if validation is None else validate_function(measure),
        schedule=None if scheduler is None else Scheduling(scheduler=scheduler),
        early_stopping=EarlyStopping(
            EarlyStopConfig(patience=patience, alpha=1.0, min_delta=config.early_stop_tolerance)
        )
        if patience
        else None,
        callbacks=[_Hooks(on_step, on_epoch), *callbacks],
        checkpoints=None if checkpoints is None else CheckpointStore(checkpoints),
        resume=resume,
        fingerprint={
            "rows": train.rows,
            "validation_rows": 0 if validation is None else validation.rows,
            "seed": config.random_seed,
            "learning_rate": config.learning_rate,
            "batches": config.batch_config.identity(),
            **(fingerprint or {}),
        },
        batches=batches,
        ctx=ctx,
        stop=stop,
    )
    model.train()
    return run.run()


def _trainer(graph: Graph, train: Arrays, optimizer: Any) -> DefaultTrainer:
    kind = nn.CrossEntropyLoss if train.task == "classification" else nn.MSELoss
    if train.weight is None:
        return DefaultTrainer(graph, kind(), optimizer)
    return DefaultTrainer(graph, kind(reduction="none"), optimizer, WeightedMeanStrategy())


def _batches(train: Arrays, config: WorkflowConfig, device: str) -> ArrayIterator[Any]:
    batches = config.batch_config
    weights = [] if train.weight is None else [train.weight.reshape(train.y.shape)]
    return ArrayIterator(
        ["x"],
        [train.x, train.y, *weights],
        batch_size=batches.batch_size,
        order=(lambda epoch: Permutation(train.rows, config.random_seed, epoch)) if batches.shuffle else None,
        drop_last=batches.drop_last and train.rows > batches.batch_size,
        device=device,
        workers=batches.num_workers,
    )


def _batch_count(rows: int, config: WorkflowConfig) -> int:
    size = config.batch_config.batch_size
    return rows // size if config.batch_config.drop_last and rows > size else math.ceil(rows / size)


@final
class _Hooks(Callback):
    """Calls the two plain functions that `fit` takes."""

    def __init__(
        self, on_step: Callable[[int, int], None] | None, on_epoch: Callable[[EpochRecord], None] | None
    ) -> None:
        self._on_step = on_step
        self._on_epoch = on_epoch

    def on_step_end(self, loop: TrainingLoop, loss: Tensor | float) -> None:
        if self._on_step is not None:
            self._on_step(loop.progress.batch, loop.batches or loop.progress.batch)

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        if self._on_epoch is not None:
            self._on_epoch(record)
