import io
import re

import numpy as np
import pytest
from tests.training.loop.runs import StopAt, make_loop

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.callbacks import EarlyStop, GradientNorms, ProgressBar, _display, find_learning_rate
from trainsmith.callbacks._display import NotebookDisplay, PlainDisplay, make_display
from trainsmith.callbacks._epochs import EpochLines
from trainsmith.errors import ConfigError, DataError
from trainsmith.training import (
    ArrayDataProvider,
    BatchConfig,
    DefaultTrainer,
    EarlyStopConfig,
    EpochRecord,
    Graph,
    ValidationResult,
)
from trainsmith.training.loop import TrainerLearner


class Terminal(io.StringIO):
    def isatty(self):
        return True


def lines_of(**options):
    lines, bar = io.StringIO(), Terminal()
    callback = ProgressBar(PlainDisplay(lines, bar), **options)
    return callback, lines, bar


def test_the_bar_moves_and_each_epoch_has_a_line():
    callback, lines, bar = lines_of()
    callback._last = -1.0
    make_loop(max_epochs=3, batches=7, callbacks=[callback]).run()
    text = lines.getvalue().splitlines()
    assert text[0].split() == ["epoch", "learning_rate", "training_loss", "validation_loss", "mae"]
    assert [line.split()[0] for line in text[1:]] == ["1", "2", "3"]
    assert "epoch 1/3 [" in bar.getvalue()
    assert bar.getvalue().endswith("\r")


def test_lines_can_be_left_out():
    callback, lines, _ = lines_of(lines=False)
    make_loop(max_epochs=1, callbacks=[callback]).run()
    assert lines.getvalue() == ""


def test_the_bar_goes_away_after_an_error():
    callback, _, bar = lines_of()
    with pytest.raises(ZeroDivisionError):
        make_loop(callbacks=[callback], stop=lambda: 1 / 0).run()
    assert bar.getvalue() == "" or bar.getvalue().endswith("\r")


def record(epoch, training, validation=None, **metrics):
    return EpochRecord(
        epoch=epoch,
        learning_rate=0.1,
        training_loss=training,
        validation_loss=validation,
        validation_metrics=metrics,
    )


def test_stars_mark_the_best_values_so_far():
    lines = EpochLines([])
    records = [record(1, 0.5, 0.6, accuracy=0.7), record(2, 0.4, 0.7, accuracy=0.8), record(3, 0.45, 0.5, accuracy=0.8)]
    text = [lines.lines(one)[-1].split()[2:] for one in records]
    assert text == [
        ["0.5000*", "0.6000*", "0.7000*"],
        ["0.4000*", "0.7000", "0.8000*"],
        ["0.4500", "0.5000*", "0.8000"],
    ]


def test_stars_after_a_resume_count_the_epochs_before():
    assert EpochLines([record(1, 0.5)]).lines(record(2, 0.6))[-1].split()[2] == "0.6000"


def test_columns_stand_below_each_other():
    lines = EpochLines([])
    text = lines.lines(record(1, 0.5, 0.6)) + lines.lines(record(2, 12.5, 0.7))
    ends = [[match.end() for match in re.finditer(r"\d\*?(?=\s|$)", line)] for line in text[1:]]
    assert len({len(line) for line in ends}) == 1
    assert text[0].index("training_loss") + len("training_loss") == text[1].index("*") + 1


def test_early_stop_by_a_metric():
    stop = EarlyStop(EarlyStopConfig(patience=2, alpha=1.0, mode="max"), monitor="r2")
    values = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    loop = make_loop(max_epochs=9, callbacks=[stop])
    loop.validate = lambda *, limit=None, ctx=None: ValidationResult(loss=1.0, metrics={"r2": next(values)})
    result = loop.run()
    assert (result.status, result.total_epochs) == ("early_stopped", 4)
    assert result.extensions["stop_reason"] == "r2 no longer improves"
    with pytest.raises(ConfigError, match="validation must give 'r3'"):
        make_loop(callbacks=[EarlyStop(EarlyStopConfig(patience=1), monitor="r3")]).run()


def test_early_stop_goes_on_after_a_resume(tmp_path):
    def run(folder, **options):
        stop = EarlyStop(EarlyStopConfig(patience=2, min_delta=1e6, alpha=1.0), monitor="mae")
        return make_loop(folder, callbacks=[stop], max_epochs=9, **options)

    expected = run(tmp_path / "whole").run().total_epochs
    watch = StopAt(8)
    first = run(tmp_path / "c", stop=lambda: watch.reached)
    first.callbacks.append(watch)
    assert first.run().status == "interrupted"
    assert run(tmp_path / "c", resume=True).run().total_epochs == expected == 3


def learner(lr=0.1):
    ts.manual_seed(0)
    graph = Graph(nn.Linear(2, 1))
    optimizer = optim.SGD(graph.parameters(), lr=lr, momentum=0.9)
    x = np.random.default_rng(0).normal(size=(128, 2)).astype("float32")
    data = ArrayDataProvider(x, x[:, :1]).get_training_data(BatchConfig(batch_size=16))
    trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer, gradient_norm=True)
    return TrainerLearner(trainer, graph, optimizer), data


def test_the_rate_finder_suggests_a_rate_that_learns_and_leaves_everything_as_it_was():
    one, data = learner()
    before = {name: np.asarray(value).copy() for name, value in one.weights().items()}
    curve = find_learning_rate(one, data, lowest=1e-5, highest=10.0, steps=80)
    assert list(curve.rates) == sorted(curve.rates)
    assert len(curve.rates) == len(curve.losses) < 80
    for name, value in one.weights().items():
        np.testing.assert_array_equal(np.asarray(value), before[name])
    assert one.optimizer.param_groups[0]["lr"] == 0.1
    again, data = learner(curve.suggestion)
    losses = []
    for _ in range(5):
        data.reset()
        while data.next():
            losses.append(float(again.train_step(data.batch())))
    assert losses[-1] < 0.1 * losses[0]


def test_the_rate_finder_refuses_what_it_cannot_do():
    one, data = learner()
    with pytest.raises(ConfigError, match="0 < lowest < highest"):
        find_learning_rate(one, data, lowest=1.0, highest=0.1)
    empty = ArrayDataProvider(np.zeros((0, 2)), np.zeros((0, 1))).get_training_data(BatchConfig())
    with pytest.raises(DataError, match="at least 3 steps"):
        find_learning_rate(one, empty)


def test_gradient_norms_are_those_of_the_gradients(tmp_path):
    one, data = learner()
    norms = GradientNorms()
    loop = make_loop(max_epochs=2, validate=False, average=None, callbacks=[norms], read_every=3)
    loop.learner, loop.schedule, loop.data = one, None, data
    want = []

    class Read(StopAt):
        def on_step_end(self, loop, loss):
            want.append(float(one.last_gradient_norm))

    loop.callbacks.append(Read(0))
    loop.run()
    assert norms.history[0]["mean"] == pytest.approx(np.mean(want[:8]))
    assert norms.history[1]["largest"] == max(want[8:])


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, data, raw):
        assert raw
        self.shown.append(data["text/plain"])


def test_a_notebook_gets_a_bar_that_is_updated_in_place():
    handle, lines = Handle(), io.StringIO()

    class Module:
        @staticmethod
        def display(data, raw, display_id):
            handle.shown.append(data["text/plain"])
            return handle

    with NotebookDisplay(Module, lines) as display:
        display.progress("epoch 1/2", 0.5)
        display.line("one")
    assert handle.shown[1].endswith(" 50%")
    assert handle.shown[-1] == ""
    assert lines.getvalue() == "one\n"


def test_a_notebook_is_recognised(monkeypatch):
    monkeypatch.setitem(_display.sys.modules, "ipykernel", object())
    monkeypatch.setattr(_display.importlib, "import_module", lambda name: {"IPython.display": "module"}[name])
    assert isinstance(make_display(), NotebookDisplay)
