"""The training loop: epochs of captured steps, early stopping, best weights."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.data import batches
from trainsmith.data._wording import worded
from trainsmith.errors import DataError, NonFiniteError
from trainsmith.training._arrays import Arrays, evaluate
from trainsmith.training._config import BatchConfig, WorkflowConfig
from trainsmith.training._early_stopping import EarlyStopConfig, EarlyStopping
from trainsmith.training._optimization import make_optimizer, make_scheduler
from trainsmith.training._result import EpochRecord, Status, TrainingResult
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig

Step = Callable[..., ts.Tensor]


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
        stop: asked after each step; True ends the run after that step.

    Returns:
        The result. After a stop its status is `interrupted`; an unfinished epoch counts only where none finished.

    Raises:
        DataError: the loss is no longer finite.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.training import Arrays, WorkflowConfig, fit
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> result = fit(nn.Linear(1, 1), Arrays(x=x, y=2 * x), config=WorkflowConfig(num_epochs=3))
        >>> result.total_epochs, result.status
        (3, 'completed')
    """
    started = time.perf_counter()
    worker = make_optimizer(optimizer or OptimizerConfig(), model.parameters(), config.learning_rate)
    scheduler = make_scheduler(schedule or ScheduleConfig(), worker, config.num_epochs)
    step = _captured_step(model, worker, train)
    sources = _on_device(train, device)
    patience = config.max_no_improve
    early = EarlyStopping(EarlyStopConfig(patience=patience or 1, alpha=1.0, min_delta=config.early_stop_tolerance))
    history: list[EpochRecord] = []
    best_loss, best_weights = math.inf, None
    status: Status = "completed"
    for epoch in range(1, config.num_epochs + 1):
        model.train()
        rate = float(worker.param_groups[0]["lr"])
        try:
            losses = _epoch(step, sources, train.rows, config.batch_config, (config.random_seed, epoch), on_step, stop)
            training_loss = _mean_loss(losses)
        except NonFiniteError as error:
            raise _not_finite("training", str(error), epoch) from error
        if not math.isfinite(training_loss):
            raise _not_finite("training", f"{training_loss}", epoch)
        if stop is not None and stop():
            status = "interrupted"
            break
        loss, metrics = training_loss, {}
        if validation is not None:
            loss, metrics = evaluate(model, validation, device=device, mean=target_scale[0], std=target_scale[1])
            if not math.isfinite(loss):
                raise _not_finite("validation", f"{loss}", epoch)
        improved = validation is None or loss < best_loss
        if improved:
            best_loss = loss
            best_weights = None if validation is None else model.state_dict()
        record = EpochRecord(
            epoch=epoch,
            learning_rate=rate,
            training_loss=training_loss,
            validation_loss=None if validation is None else loss,
            validation_metrics=metrics,
            improved=improved,
        )
        history.append(record)
        if on_epoch is not None:
            on_epoch(record)
        if validation is not None and patience and early.step(loss):
            status = "early_stopped"
            break
        if scheduler is not None:
            scheduler.step()
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return _result(history, status, time.perf_counter() - started)


def _captured_step(model: nn.Module, optimizer: optim.Optimizer, train: Arrays) -> Step:
    weighted = train.weight is not None
    loss_of = nn.functional.cross_entropy if train.task == "classification" else nn.functional.mse_loss

    @ts.compile
    def step(x: ts.Tensor, y: ts.Tensor, *weight: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        if weighted:
            loss = (loss_of(model(x), y, reduction="none") * weight[0]).mean()
        else:
            loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _on_device(train: Arrays, device: str) -> Sequence[Any]:
    """Keeps rows as arrays on the CPU, where cutting them is cheap, and uploads them once otherwise."""
    arrays = [train.x, train.y] if train.weight is None else [train.x, train.y, train.weight.reshape(train.y.shape)]
    return arrays if device == "cpu" else [ts.asarray(array, device=device) for array in arrays]


def _epoch(
    step: Step,
    sources: Sequence[Any],
    rows: int,
    config: BatchConfig,
    seed: tuple[int, int],
    on_step: Callable[[int, int], None] | None,
    stop: Callable[[], bool] | None,
) -> list[tuple[int, ts.Tensor]]:
    """Runs the steps of one epoch and returns rows and loss of each."""
    drop_last = config.drop_last and rows > config.batch_size
    steps = rows // config.batch_size if drop_last else math.ceil(rows / config.batch_size)
    losses: list[tuple[int, ts.Tensor]] = []
    for batch in batches(
        *sources, batch_size=config.batch_size, shuffle=config.shuffle, seed=seed, drop_last=drop_last
    ):
        losses.append((batch[0].shape[0], step(*batch)))
        if on_step is not None:
            on_step(len(losses), steps)
        if stop is not None and stop():
            break
    return losses


def _mean_loss(losses: list[tuple[int, ts.Tensor]]) -> float:
    rows = sum(count for count, _ in losses)
    return sum(count * float(loss) for count, loss in losses) / rows


def _not_finite(part: str, got: str, epoch: int) -> DataError:
    return worded(
        DataError,
        "fit",
        f"the {part} loss must stay finite",
        expected="a finite number",
        got=f"{got} in epoch {epoch}",
        step="lower training.learning_rate",
    )


def _result(history: list[EpochRecord], status: Status, seconds: float) -> TrainingResult:
    losses = [one.training_loss if one.validation_loss is None else one.validation_loss for one in history]
    best = max((place for place, one in enumerate(history) if one.improved), default=-1)
    return TrainingResult(
        final_loss=losses[-1] if losses else None,
        best_loss=losses[best] if losses else None,
        best_epoch=best + 1,
        total_epochs=len(history),
        training_time_seconds=seconds,
        status=status,
        history=tuple(history),
    )
