"""The one training loop: epochs of steps, validation, early stop, best weights, checkpoints, exact resume."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from trainsmith.data._wording import worded
from trainsmith.errors import CancelledError, DataError, NonFiniteError
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._early_stopping import EarlyStopping
from trainsmith.training._interrupt import stop_on_interrupt
from trainsmith.training._protocols_data import DataIterator
from trainsmith.training._result import EpochRecord, Status, TrainingResult, ValidationResult
from trainsmith.training.checkpoints import CheckpointStore
from trainsmith.training.loop._callback import Callback, overriding
from trainsmith.training.loop._config import LoopConfig
from trainsmith.training.loop._evaluation import BatchValidation, Validate
from trainsmith.training.loop._learner import Learner
from trainsmith.training.loop._meter import LossMeter
from trainsmith.training.loop._overfit import first_batches
from trainsmith.training.loop._pieces import Averaging, Scheduling
from trainsmith.training.loop._progress import Best, Progress
from trainsmith.training.loop._state import gather, restore

_OP = "fit"


class TrainingLoop:
    """Trains a learner; every workflow, `fit` and the command line run on it.

    An epoch is: reset the data; steps; the schedule and the average in their rhythm; the validation; early stopping.
    The loss of an epoch is the mean over its rows, each measured before the step that used it. The best epoch is the
    one with the lowest validation loss; without validation rows, the last.

    Args:
        learner: model, optimizer and step.
        data: the training batches.
        config: limits and switches.
        validate: measures after an epoch; None for no validation.
        schedule: the rate over the run.
        averaging: an average of the weights.
        early_stopping: takes each validation loss; the run ends when it says so.
        callbacks: watch and steer.
        checkpoints: where the state is saved; None for nowhere.
        resume: whether to go on from the newest whole checkpoint, where there is one.
        fingerprint: what must be the same when a run goes on, such as the seed; plain values.
        batches: steps in an epoch, where it is known; for progress alone.
        ctx: ends the run after the current step once it is done.
        stop: asked after each step; True ends the run after that step. Without it the first Ctrl-C or SIGTERM does.

    Attributes:
        progress: where the run is.
        history: a record per finished epoch.
        best: the best epoch so far.

    Example:
        `fit` and `StandardWorkflow` use it.
    """

    def __init__(
        self,
        learner: Learner,
        data: DataIterator[Any],
        *,
        config: LoopConfig | None = None,
        validate: Validate | None = None,
        schedule: Scheduling | None = None,
        averaging: Averaging | None = None,
        early_stopping: EarlyStopping | None = None,
        callbacks: Iterable[Callback] = (),
        checkpoints: CheckpointStore | None = None,
        resume: bool = False,
        fingerprint: Mapping[str, Any] | None = None,
        batches: int | None = None,
        ctx: RunContext | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.learner = learner
        self.data = data
        self.config = config or LoopConfig()
        self.validate = validate
        self.schedule = schedule
        self.averaging = averaging
        self.early_stopping = early_stopping
        self.callbacks = list(callbacks)
        self.checkpoints = None if self.config.fast_dev_run else checkpoints
        self.fingerprint = dict(fingerprint or {})
        self.batches = batches
        self.progress = Progress()
        self.best = Best()
        self.history: list[EpochRecord] = []
        self.meter = LossMeter(self.config.read_every)
        self._resume = resume
        self._ctx = ctx
        self._stop = stop
        self._reason = ""
        self._average: Callable[[], object] = averaging.updater() if averaging is not None else (lambda: None)
        self._saved_step = -1
        self._clock_started = self._epoch_started = time.perf_counter()

    @property
    def rate(self) -> float:
        """The learning rate of the first parameter group now; NaN where the optimizer has none."""
        groups = getattr(self.learner.optimizer, "param_groups", None)
        return float(groups[0]["lr"]) if groups else math.nan

    def stop(self, reason: str = "stopped") -> None:
        """Ends the run after the current step, or after the epoch where it is called at its end.

        Args:
            reason: a few words, which become `extensions["stop_reason"]` of the result.
        """
        self._reason = self._reason or reason

    def run(self) -> TrainingResult:
        """Trains.

        Returns:
            The outcome. After an interruption its status is `interrupted`; an unfinished epoch is no part of it.

        Raises:
            CancelledError: the context was done before the first step.
            DataError: the data gave no batch, or a loss is not finite.
            IoError: a checkpoint cannot be written, or does not fit this run.
        """
        raise_if_done(self._ctx, _OP)
        with ExitStack() as stack:
            if self._stop is None:
                self._stop = stack.enter_context(stop_on_interrupt())
            try:
                return self._run()
            except BaseException as error:
                self._call("on_exception", error)
                raise

    def _run(self) -> TrainingResult:
        self._prepare()
        self._call("on_fit_start")
        self._sanity()
        self._clock_started = time.perf_counter() - self.progress.seconds
        self._epoch_started = time.perf_counter() - self.progress.epoch_seconds
        status = self._epochs()
        if self.checkpoints is not None and self._saved_step != self.progress.step:
            self._save(gather(self), metric=None)
        result = self._finish(status)
        self._call("on_fit_end", result)
        return result

    def _prepare(self) -> None:
        limit = self.config.fast_dev_run or self.config.overfit_batches
        if limit:
            self.data, self.batches = first_batches(self.data, limit)
            if self.config.overfit_batches and isinstance(self.validate, BatchValidation):
                self.validate = self.validate.over(self.data)
        if self._resume and self.checkpoints is not None:
            found = self.checkpoints.latest()
            if found is not None:
                restore(self, found)
                self._saved_step = self.progress.step

    def _sanity(self) -> None:
        if self.config.sanity_batches and self.validate is not None and not self.progress.step:
            self.validate(limit=self.config.sanity_batches, ctx=self._ctx)

    def _epochs(self) -> Status:
        if self.progress.ended:
            return "early_stopped"
        while not self._over():
            status = self._epoch()
            if status is not None:
                return status
        return "completed"

    def _over(self) -> bool:
        """Says whether a limit is reached; an epoch that has begun goes on."""
        epochs = 1 if self.config.fast_dev_run else self.config.max_epochs
        return not self.progress.batch and (self.progress.epoch >= epochs or self._limited())

    def _limited(self) -> bool:
        steps, seconds = self.config.max_steps, self.config.max_seconds
        return bool(steps and self.progress.step >= steps) or bool(seconds and self.seconds() >= seconds)

    def seconds(self) -> float:
        """Returns the time spent so far, over all sittings."""
        return time.perf_counter() - self._clock_started

    def epoch_seconds(self) -> float:
        """Returns the time spent in the current epoch, over all sittings."""
        return time.perf_counter() - self._epoch_started

    def _epoch(self) -> Status | None:
        progress = self.progress
        if not progress.batch:
            self.data.reset()
            self.meter.reset()
            progress.rate = self.rate
            self._epoch_started = time.perf_counter()
            self._call("on_epoch_start")
        try:
            ended = self._steps()
            return ended if ended is not None else self._end_epoch()
        except NonFiniteError as error:
            # A reader met what an earlier step on a GPU has found.
            if self.config.on_nan == "error":
                self._refused(error)
            raise
        except CancelledError:
            if self._ctx is not None and self._ctx.done:
                return "interrupted"
            raise

    def _steps(self) -> Status | None:
        """Runs the steps of an epoch; gives a status where the run ends in the middle of it."""
        progress, learner, data, ctx, meter = self.progress, self.learner, self.data, self._ctx, self.meter
        checkpoints, stop, limits = self.checkpoints, self._stop, self.config.max_steps or self.config.max_seconds
        each_step, hooks = self._each_step(), overriding(self.callbacks, "on_step_end")
        more = data.next(ctx=ctx)
        while more:
            batch = data.batch()
            assert batch is not None, "next() was True"
            try:
                loss = learner.train_step(batch)
                if self.config.on_nan != "error":
                    # A GPU says only to a reader that a step has changed nothing; this one has to be known now.
                    loss = float(loss)
            except NonFiniteError as error:
                self._refused(error)
                loss = math.nan
            else:
                for advance in each_step:
                    advance()
            progress.step += 1
            progress.batch += 1
            rows = batch.rows if batch.weights is None else learner.amount(batch)
            if meter.add(rows, loss) and self._bad_loss():
                return "early_stopped"
            for hook in hooks:
                hook(self, loss)
            if (stop is not None and stop()) or (ctx is not None and ctx.done):
                return "interrupted"
            if self._reason:
                return self._ended()
            if limits and self._limited():
                return None
            # The data go on before it is known whether the epoch is over; a checkpoint holds the state from before.
            state = gather(self) if checkpoints is not None and checkpoints.due_step(progress.step) else None
            more = data.next(ctx=ctx)
            if more and state is not None:
                self._save(state, metric=None)
        error = data.error()
        if error is not None:
            raise error
        if not progress.batch:
            raise _no_batch()
        return None

    def _each_step(self) -> list[Callable[[], object]]:
        """Lists what goes on after each step of this epoch."""
        found: list[Callable[[], object]] = []
        averaging = self.averaging
        if averaging is not None and averaging.per == "step" and self.progress.epoch >= averaging.start_epoch:
            found.append(self._average)
        if self.schedule is not None and self.schedule.per == "step":
            found.append(self.schedule.advance)
        return found

    def _end_epoch(self) -> Status | None:
        progress, averaging = self.progress, self.averaging
        if averaging is not None and averaging.per == "epoch" and progress.epoch >= averaging.start_epoch:
            self._average()
        training_loss = self.meter.mean()
        if self._bad_loss():
            return "early_stopped"
        with self._averaged():
            evaluation = self._evaluated()
            loss = training_loss if evaluation is None else _number(evaluation.loss)
            improved = loss < self.best.loss if evaluation is not None else self.validate is None
            if improved:
                weights = None if evaluation is None or not self.config.restore_best else self.learner.weights()
                self.best = Best(loss=loss, epoch=progress.epoch + 1, weights=weights)
        progress.epoch += 1
        progress.batch = 0
        record = EpochRecord(
            epoch=progress.epoch,
            learning_rate=progress.rate,
            training_loss=training_loss,
            validation_loss=None if evaluation is None else evaluation.loss,
            validation_metrics={} if evaluation is None else evaluation.metrics,
            improved=improved,
            seconds=self.epoch_seconds(),
        )
        self.history.append(record)
        if evaluation is not None and self.early_stopping is not None and self.early_stopping.step(loss):
            self._reason = "no improvement"
        if self.schedule is not None and self.schedule.per == "epoch" and not self._reason:
            self.schedule.advance(loss)
        self._call("on_epoch_end", record)
        status = self._ended() if self._reason else None
        metric, store = None if evaluation is None else loss, self.checkpoints
        if store is not None and (store.due_epoch(progress.epoch, metric) or store.due_step(progress.step) or status):
            self._save(gather(self), metric=metric)
        return status or ("interrupted" if self._stop is not None and self._stop() else None)

    def _evaluated(self) -> ValidationResult | None:
        """Measures, where this epoch is one to validate."""
        config, epoch = self.config, self.progress.epoch + 1
        last = epoch >= config.max_epochs or bool(config.fast_dev_run) or self._limited()
        if self.validate is None or (epoch % config.validate_every and not last):
            return None
        evaluation = self.validate(limit=config.fast_dev_run or None, ctx=self._ctx)
        if evaluation is None:
            self.validate = None
            return None
        if not math.isfinite(_number(evaluation.loss)) and config.on_nan != "skip":
            if config.on_nan == "error":
                raise self._not_finite("validation", f"{evaluation.loss}")
            self._reason = "a validation loss that is not finite"
        self._call("on_validation_end", evaluation)
        return evaluation

    def _averaged(self) -> AbstractContextManager[None]:
        """Puts the averages into the model for a while, where there are any."""
        if self.averaging is None or not self.averaging.average.updates:
            return nullcontext()
        return self.averaging.average.swapped()

    def _refused(self, error: NonFiniteError) -> None:
        """Answers a step that has changed nothing because a gradient is not finite."""
        if self.config.on_nan == "error":
            raise self._not_finite("training", str(error), self._explained()) from error
        if self.config.on_nan == "stop":
            self._reason = "a gradient that is not finite"

    def _bad_loss(self) -> bool:
        """Says whether a loss that is not finite ends the run; raises where it is an error."""
        bad, self.meter.bad = self.meter.bad, None
        if bad is None or self.config.on_nan == "skip":
            return False
        if self.config.on_nan == "error":
            raise self._not_finite("training", f"{bad}", self._explained())
        self._reason = "a training loss that is not finite"
        self._ended()
        return True

    def _ended(self) -> Status:
        self.progress.ended = self._reason
        return "early_stopped"

    def _save(self, state: Mapping[str, Any], metric: float | None) -> None:
        assert self.checkpoints is not None, "asked by the caller"
        progress = self.progress
        path = self.checkpoints.save(state, step=progress.step, epoch=progress.epoch, metric=metric)
        self._saved_step = progress.step
        self._call("on_checkpoint", path)

    def _finish(self, status: Status) -> TrainingResult:
        """Leaves the model with its best weights and sums the run up."""
        if self.best.weights is not None:
            self.learner.load_weights(self.best.weights)
        elif self.averaging is not None and self.averaging.average.updates:
            with self.averaging.average.swapped():
                averaged = self.learner.weights()
            self.learner.load_weights(averaged)
        losses = [one.training_loss if one.validation_loss is None else one.validation_loss for one in self.history]
        if any(one.validation_loss is not None for one in self.history):
            losses = [one.validation_loss for one in self.history if one.validation_loss is not None]
        reason = self.progress.ended or self._reason
        return TrainingResult(
            final_loss=losses[-1] if losses else None,
            best_loss=self.best.loss if self.best.epoch else None,
            best_epoch=self.best.epoch,
            total_epochs=len(self.history),
            training_time_seconds=self.seconds(),
            status=status,
            history=tuple(self.history),
            extensions={"stop_reason": reason} if reason else {},
            model=self.learner.model,
        )

    def _call(self, hook: str, *arguments: Any) -> None:
        for one in overriding(self.callbacks, hook):
            one(self, *arguments)

    def _explained(self) -> str:
        """Says what made the first bad value of the current batch, where that can be found out."""
        batch = self.data.batch()
        return "" if batch is None else self.learner.explain(batch)

    def _not_finite(self, part: str, got: str, first: str = "") -> DataError:
        return worded(
            DataError,
            _OP,
            f"the {part} loss must stay finite",
            expected="a finite number",
            got=f"{got} in epoch {self.progress.epoch + 1}" + (f" (first: {first})" if first else ""),
            step="lower training.learning_rate",
        )


def _number(loss: float | None) -> float:
    return math.nan if loss is None else loss


def _no_batch() -> DataError:
    return worded(
        DataError,
        _OP,
        "an epoch needs a batch",
        expected="training data with at least one row",
        got="no batch",
        step="check the data, the fold and drop_last",
    )
