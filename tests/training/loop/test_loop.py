import math
import os
import signal

import numpy as np
import pytest
from tests.training.loop.runs import StepTrainer, StopAt, make_loop, table, weights

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import CancelledError, ConfigError, DataError
from trainsmith.training import (
    ArrayDataProvider,
    BatchConfig,
    DefaultTrainer,
    EarlyStopConfig,
    EarlyStopping,
    Graph,
    RunContext,
    ValidationResult,
)
from trainsmith.training.loop import (
    BatchValidation,
    Callback,
    LoopConfig,
    Scheduling,
    TrainerLearner,
    TrainingLoop,
    validate_function,
)


class Record(Callback):
    """Writes down which hook was called where."""

    def __init__(self):
        self.calls = []

    def on_fit_start(self, loop):
        self.calls.append("fit start")

    def on_epoch_start(self, loop):
        self.calls.append(f"epoch {loop.progress.epoch} start")

    def on_step_end(self, loop, loss):
        self.calls.append(f"step {loop.progress.step}")

    def on_validation_end(self, loop, result):
        self.calls.append(f"validation of {result.sample_count}")

    def on_epoch_end(self, loop, record):
        self.calls.append(f"epoch {record.epoch} end")

    def on_checkpoint(self, loop, path):
        self.calls.append(path.name)

    def on_fit_end(self, loop, result):
        self.calls.append(f"fit end {result.status}")

    def on_exception(self, loop, error):
        self.calls.append(f"exception {type(error).__name__}")


def test_hooks_are_called_in_their_order(tmp_path):
    record = Record()
    make_loop(tmp_path / "c", batch_size=25, max_epochs=2, callbacks=[record], every_steps=3).run()
    assert record.calls == [
        "fit start",
        "epoch 0 start",
        "step 1",
        "step 2",
        "validation of 20",
        "epoch 1 end",
        "step-00000002",
        "epoch 1 start",
        "step 3",
        "step-00000003",
        "step 4",
        "validation of 20",
        "epoch 2 end",
        "step-00000004",
        "fit end completed",
    ]


def test_an_error_reaches_callbacks_and_caller():
    class Fail(Callback):
        def on_epoch_end(self, loop, record):
            raise RuntimeError("mine")

    record = Record()
    with pytest.raises(RuntimeError, match="mine"):
        make_loop(callbacks=[record, Fail()]).run()
    assert record.calls[-1] == "exception RuntimeError"


def test_the_epochs_loss_is_the_mean_over_rows_whatever_the_blocks():
    def run(read_every):
        loop = make_loop(dropout=0.0, average=None, max_epochs=1, read_every=read_every, batch_size=16)
        return loop.run().history[0].training_loss

    assert run(1) == run(3) == run(1000)
    losses = []
    loop = make_loop(dropout=0.0, average=None, max_epochs=1, batch_size=16)

    class Read(Callback):
        def on_step_end(self, loop, loss):
            losses.append(float(loss))

    loop.callbacks.append(Read())
    got = loop.run().history[0].training_loss
    assert got == pytest.approx(np.average(losses, weights=[16, 16, 16, 2]), rel=1e-12)


def test_losses_are_read_in_blocks():
    reads = []

    class Loss:
        def __float__(self):
            reads.append(0)
            return 1.0

    class Trainer:
        def train_step(self, graph, optimizer, inputs, targets, *, ctx=None):
            counts.append(len(reads))
            return Loss()

    counts = []
    loop = make_loop(max_epochs=1, validate=False, average=None, read_every=4)
    loop.learner = TrainerLearner(Trainer(), loop.learner.model, loop.learner.optimizer)
    loop.run()
    assert counts == [0, 0, 0, 0, 4, 4, 4]
    assert len(reads) == 7


def test_validation_is_a_forward_pass_over_all_rows():
    loop = make_loop(max_epochs=1, average=None)
    before_modes = []
    loop.learner.model.register_forward_hook(lambda module, args, output: before_modes.append(module.training))
    result = loop.run()
    assert False in before_modes
    assert loop.learner.model.training
    provider = table()
    batches = provider.get_validation_data(BatchConfig(batch_size=20))
    assert batches.next()
    batch = batches.batch()
    with loop.learner.evaluating(), ts.no_grad():
        output = loop.learner.model(batch.inputs["x"])
    error = np.asarray(output) - np.asarray(batch.targets)
    assert result.history[0].validation_loss == pytest.approx(float(np.mean(error**2)), rel=1e-5)
    assert result.history[0].validation_metrics["mae"] == pytest.approx(float(np.mean(np.abs(error))), rel=1e-5)


def test_the_best_weights_come_back():
    losses = iter([0.5, 0.3, 0.4, 0.6])
    loop = make_loop(average=None, max_epochs=4)
    seen = []

    def measure():
        seen.append(weights(loop))
        return next(losses), {}

    loop.validate = validate_function(measure)
    result = loop.run()
    assert (result.best_loss, result.best_epoch, result.final_loss) == (0.3, 2, 0.6)
    assert [record.improved for record in result.history] == [True, True, False, False]
    assert weights(loop) == seen[1]
    assert result.model is loop.learner.model


def test_without_restore_best_the_last_weights_stay():
    losses = iter([0.5, 0.3, 0.4])
    loop = make_loop(average=None, max_epochs=3, restore_best=False)
    seen = []

    def measure():
        seen.append(weights(loop))
        return next(losses), {}

    loop.validate = validate_function(measure)
    assert loop.run().best_epoch == 2
    assert weights(loop) == seen[-1]


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_validation_best_and_final_weights_are_those_of_the_average(average):
    loop = make_loop(average=average, max_epochs=2, validate=False)
    loop.run()
    got = [np.asarray(one) for one in loop.learner.model.parameters()]
    for one, want in zip(got, loop.averaging.average.averages(), strict=True):
        np.testing.assert_array_equal(one, np.asarray(want))
    assert loop.averaging.average.updates == (14 if average == "ema" else 2)

    loop = make_loop(average=average, max_epochs=1)
    seen = []

    def measure():
        seen.append(weights(loop))
        return 1.0, {}

    loop.validate = validate_function(measure)
    loop.run()
    assert weights(loop) == seen[0]


def test_limits():
    assert make_loop(max_steps=10).run().total_epochs == 2
    loop = make_loop(max_steps=10)
    loop.run()
    assert loop.progress.step == 10
    loop = make_loop(max_seconds=1e-9)
    result = loop.run()
    assert (loop.progress.step, result.status) == (0, "completed")


def test_validate_every_skips_epochs_but_not_the_last():
    result = make_loop(max_epochs=5, validate_every=2).run()
    assert [record.validation_loss is not None for record in result.history] == [False, True, False, True, True]
    assert result.final_loss == result.history[-1].validation_loss


def test_a_sanity_validation_comes_first_and_changes_nothing():
    calls = []

    def spied(**options):
        loop = make_loop(max_epochs=1, **options)
        inner = loop.validate

        def validate(*, limit=None, ctx=None):
            calls.append((limit, loop.progress.step))
            return inner(limit=limit, ctx=ctx)

        loop.validate = validate
        return loop.run().history

    plain = spied()
    calls.clear()
    assert spied(sanity_batches=2) == plain
    assert calls == [(2, 0), (None, 7)]


def test_overfit_batches_trains_and_validates_on_the_same_few():
    result = make_loop(max_epochs=150, overfit_batches=1, dropout=0.0, average=None).run()
    assert result.history[-1].validation_loss < 0.1 * result.history[0].validation_loss
    loop = make_loop(max_epochs=1, overfit_batches=2)
    loop.run()
    assert loop.progress.step == 2


def test_a_fast_dev_run_does_one_batch_of_everything(tmp_path):
    record = Record()
    result = make_loop(tmp_path / "c", fast_dev_run=1, callbacks=[record]).run()
    assert record.calls == [
        "fit start",
        "epoch 0 start",
        "step 1",
        "validation of 8",
        "epoch 1 end",
        "fit end completed",
    ]
    assert result.total_epochs == 1
    assert not (tmp_path / "c").exists()


def test_a_callback_can_stop_the_run():
    class Stop(Callback):
        def on_step_end(self, loop, loss):
            if loop.progress.step == 9:
                loop.stop("enough")

    result = make_loop(callbacks=[Stop()]).run()
    assert (result.status, result.total_epochs, result.extensions) == ("early_stopped", 1, {"stop_reason": "enough"})


def test_a_context_ends_the_run_after_the_step():
    context = RunContext()

    class Cancel(Callback):
        def on_step_end(self, loop, loss):
            if loop.progress.step == 9:
                context.cancel()

    loop = make_loop(callbacks=[Cancel()], ctx=context)
    result = loop.run()
    assert (result.status, result.total_epochs, loop.progress.step) == ("interrupted", 1, 9)
    with pytest.raises(CancelledError):
        make_loop(ctx=context).run()


def test_a_cancelled_validation_ends_the_run_and_is_made_up_for(tmp_path):
    context = RunContext()
    loop = make_loop(tmp_path / "c", ctx=context)

    def validate(*, limit=None, ctx=None):
        context.cancel()
        ctx.raise_if_done("validate")

    loop.validate = validate
    assert loop.run().status == "interrupted"
    assert make_loop(tmp_path / "c", resume=True).run().history == make_loop().run().history


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_step_and_saves(tmp_path, number):
    class Send(Callback):
        def on_step_end(self, loop, loss):
            if loop.progress.step == 10:
                os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    loop = make_loop(tmp_path / "c", callbacks=[Send()])
    result = loop.run()
    assert (result.status, result.total_epochs) == ("interrupted", 1)
    assert signal.getsignal(number) is before
    assert loop.checkpoints.latest().manifest["step"] == loop.progress.step <= 11
    assert make_loop(tmp_path / "c", resume=True).run().history == make_loop().run().history


def test_a_second_signal_raises():
    class Send(Callback):
        def on_step_end(self, loop, loss):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    record = Record()
    with pytest.raises(KeyboardInterrupt):
        make_loop(callbacks=[record, Send()]).run()
    assert record.calls[-1] == "exception KeyboardInterrupt"


def poisoned(rows=50, places=(30,)):
    provider = table(rows)
    targets = provider.targets.copy()
    targets[list(places)] = math.nan
    return ArrayDataProvider(provider.inputs, targets, allow_non_finite=True)


def test_nan_targets_are_an_error_that_names_the_epoch():
    with pytest.raises(DataError, match=r"training loss must stay finite; .* in epoch 1"):
        make_loop(provider=poisoned(), validate=False).run()


class Losses:
    """A trainer with the losses that it is told."""

    def __init__(self, losses):
        self.losses = iter(losses)

    def train_step(self, graph, optimizer, inputs, targets, *, ctx=None):
        return next(self.losses)


def told(losses, **options):
    loop = make_loop(validate=False, average=None, max_epochs=1, batch_size=25, **options)
    loop.learner = TrainerLearner(Losses(losses), loop.learner.model, loop.learner.optimizer)
    return loop.run()


def test_what_a_training_loss_that_is_not_finite_does():
    with pytest.raises(DataError, match="training loss must stay finite; expected a finite number, got nan in epoch 1"):
        told([1.0, math.nan])
    assert told([3.0, math.inf], on_nan="skip").history[0].training_loss == 3.0
    result = told([3.0, math.inf], on_nan="stop")
    assert (result.status, result.extensions["stop_reason"]) == (
        "early_stopped",
        "a training loss that is not finite",
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_a_validation_loss_that_is_not_finite_does(bad):
    def run(on_nan):
        losses = iter([0.5, bad, 0.4])
        loop = make_loop(max_epochs=3, on_nan=on_nan)
        loop.validate = validate_function(lambda: (next(losses), {}))
        return loop.run()

    with pytest.raises(DataError, match="validation loss must stay finite"):
        run("error")
    assert (run("stop").total_epochs, run("stop").best_epoch) == (2, 1)
    assert (run("skip").total_epochs, run("skip").best_epoch) == (3, 3)


def test_no_training_row_is_an_error_and_no_validation_row_is_no_validation():
    with pytest.raises(DataError, match="an epoch needs a batch"):
        make_loop(provider=table(0)).run()
    result = make_loop(provider=table(validation=0), max_epochs=2).run()
    assert [record.validation_loss for record in result.history] == [None, None]
    assert result.best_epoch == 2


def test_an_iterators_error_reaches_the_caller():
    class Broken:
        def reset(self):
            pass

        def next(self, *, ctx=None):
            return False

        def batch(self):
            return None

        def error(self):
            return DataError("chunk 3 is gone")

        def close(self):
            pass

    loop = make_loop()
    loop.data = Broken()
    with pytest.raises(DataError, match="chunk 3"):
        loop.run()


def test_early_stopping_counts_validations():
    losses = iter([1.0, 0.9, 0.95, 0.91, 0.5])
    loop = make_loop(max_epochs=9, patience=2)
    loop.validate = validate_function(lambda: (next(losses), {}))
    result = loop.run()
    assert (result.status, result.total_epochs, result.best_epoch) == ("early_stopped", 4, 2)


def test_a_plateau_schedule_gets_the_loss():
    loop = make_loop(max_epochs=4, per="epoch")
    plateau = optim.lr_scheduler.ReduceLROnPlateau(loop.learner.optimizer, factor=0.5, patience=0)
    losses = iter([1.0, 1.0, 0.5, 0.5])
    loop.schedule = Scheduling(scheduler=plateau)
    loop.validate = validate_function(lambda: (next(losses), {}))
    rates = [record.learning_rate for record in loop.run().history]
    assert rates == [0.02, 0.02, 0.01, 0.01]


def test_a_trainer_without_evaluation_needs_a_loss():
    loop = make_loop()
    loop.learner = TrainerLearner(StepTrainer(), loop.learner.model, loop.learner.optimizer)
    loop.validate = BatchValidation(loop.learner, table().get_validation_data(BatchConfig()))
    with pytest.raises(ConfigError, match="a validation needs a loss"):
        loop.run()


def test_the_default_trainer_gives_what_the_smallest_one_gives():
    def run(trainer_of):
        ts.manual_seed(1)
        graph = Graph(nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)))
        optimizer = optim.SGD(graph.parameters(), lr=0.1)
        learner = TrainerLearner(trainer_of(graph, optimizer), graph, optimizer, loss=nn.MSELoss())
        provider, batches = table(), BatchConfig(batch_size=8)
        validation = BatchValidation(learner, provider.get_validation_data(batches))
        loop = TrainingLoop(
            learner, provider.get_training_data(batches), config=LoopConfig(max_epochs=3), validate=validation
        )
        return loop.run().history

    one = run(lambda graph, optimizer: DefaultTrainer(graph, nn.MSELoss(), optimizer))
    two = run(lambda graph, optimizer: StepTrainer())
    for left, right in zip(one, two, strict=True):
        assert left.training_loss == pytest.approx(right.training_loss, rel=1e-5)
        assert left.validation_loss == pytest.approx(right.validation_loss, rel=1e-5)


def test_time_adds_up_over_sittings(tmp_path):
    watch = StopAt(3)
    first = make_loop(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached).run()
    second = make_loop(tmp_path / "c", resume=True).run()
    assert second.training_time_seconds > first.training_time_seconds * 0.5 > 0
    assert all(record.seconds > 0 for record in second.history)


def test_a_validation_result_can_be_kept_with_its_predictions():
    loop = make_loop(max_epochs=1)
    validation = BatchValidation(
        loop.learner, table().get_validation_data(BatchConfig(batch_size=8)), keep_predictions=True
    )
    result = validation()
    assert isinstance(result, ValidationResult)
    assert (result.sample_count, result.extensions["predictions"].shape) == (20, (20, 1))
    assert validation(limit=1).sample_count == 8


def test_a_resumed_early_stop_keeps_its_state():
    stopping = EarlyStopping(EarlyStopConfig(patience=2, alpha=1.0))
    assert [stopping.step(value) for value in (1.0, 1.0)] == [False, False]
    again = EarlyStopping(EarlyStopConfig(patience=2, alpha=1.0))
    again.load_state_dict(stopping.state_dict())
    assert again.step(1.0)
