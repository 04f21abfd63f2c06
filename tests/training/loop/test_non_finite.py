"""A loss that is not finite is an error that names the first bad tensor, the op that made it and the line."""

import inspect
import math

import numpy as np
import pytest
from tests.training.loop.runs import make_loop, table

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import DataError
from trainsmith.training import ArrayDataProvider, BatchConfig, DefaultTrainer, Graph
from trainsmith.training.loop import LoopConfig, TrainerLearner, TrainingLoop


class Model(nn.Module):
    """Takes a logarithm that goes wrong for some inputs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x):
        shifted = self.layer(x) * 0 + x[:, :1] + 1.0
        return ts.log(shifted)


def loop_of(model, x, y, **options):
    ts.manual_seed(0)
    graph = Graph(model)
    optimizer = optim.SGD(graph.parameters(), lr=0.1)
    learner = TrainerLearner(DefaultTrainer(graph, nn.MSELoss(), optimizer), graph, optimizer)
    data = ArrayDataProvider(x, y, allow_non_finite=True).get_training_data(BatchConfig(batch_size=4, shuffle=False))
    return TrainingLoop(learner, data, config=LoopConfig(max_epochs=2), **options)


def rows(bad=None):
    x = np.ones((8, 3), "float32")
    y = np.ones((8, 1), "float32")
    if bad is not None:
        x[5, 0] = bad
    return x, y


def test_the_op_and_its_line_are_named():
    line = inspect.getsourcelines(Model.forward)[1] + 2
    with pytest.raises(DataError, match=rf"first: nan from log, float32 \(4, 1\), at .*test_non_finite.py:{line}\)"):
        loop_of(Model(), *rows(-2.0)).run()


def test_an_infinite_value_is_followed_to_its_op():
    with pytest.raises(DataError, match=r"first: inf from log, float32 \(4, 1\), at .*test_non_finite.py"):
        loop_of(Model(), *rows(-1.0)).run()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_inputs_targets_and_parameters_are_named(bad):
    kind = "nan" if math.isnan(bad) else "inf"
    with pytest.raises(DataError, match=rf"first: {kind} in input x, float32 \(4, 3\)"):
        loop_of(nn.Linear(3, 1), *rows(bad)).run()
    x, y = rows()
    y[6] = bad
    with pytest.raises(DataError, match=rf"first: {kind} in the targets, float32 \(4, 1\)"):
        loop_of(nn.Linear(3, 1), x, y).run()
    model = nn.Sequential(nn.Linear(3, 1))
    model[0].weight.copy_(ts.full((1, 3), bad))
    with pytest.raises(DataError, match=rf"first: {kind} in 0.weight, float32 \(1, 3\)"):
        loop_of(model, *rows()).run()


def test_a_mask_of_infinities_is_no_finding():
    scores = ts.asarray([[1.0, 2.0], [3.0, 4.0]])
    mask = ts.asarray([[False, True], [False, False]])

    def masked(scores, divisor):
        return (nn.functional.softmax(scores.masked_fill(mask, -math.inf), axis=-1) / divisor).sum()

    step = ts.compile(masked)
    assert step.find_non_finite(scores, ts.asarray(1.0)) is None
    found = step.find_non_finite(scores, ts.asarray(0.0))
    assert (found.kind, found.is_op) == ("nan", True)
    assert found.source == "divide"


def test_looking_changes_nothing():
    ts.manual_seed(3)
    graph = Graph(nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Linear(4, 1)))
    optimizer = optim.Adam(graph.parameters(), lr=0.1)
    trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer)
    x, y = ts.ones((4, 2)), ts.ones((4, 1))
    trainer.train_step(graph, optimizer, {"x": x}, y)
    state = ts.default_generator().get_state()
    before = {name: np.asarray(value).copy() for name, value in graph.module.state_dict().items()}
    steps = optimizer.state_dict()["state"][0]["step"]
    assert trainer.find_non_finite(graph, optimizer, {"x": x}, y) is None
    assert str(trainer.find_non_finite(graph, optimizer, {"x": x}, y * math.nan)).startswith("nan in the targets")
    assert ts.default_generator().get_state() == state
    assert optimizer.state_dict()["state"][0]["step"] == steps
    for name, value in graph.module.state_dict().items():
        np.testing.assert_array_equal(np.asarray(value), before[name])


def test_a_trainer_that_cannot_say_leaves_the_error_as_it_is():
    provider = table()
    targets = provider.targets.copy()
    targets[:] = math.nan
    with pytest.raises(DataError, match="training loss must stay finite") as caught:
        make_loop(provider=ArrayDataProvider(provider.inputs, targets, allow_non_finite=True), validate=False).run()
    assert "first" not in str(caught.value)
    graph = Graph(nn.Linear(1, 1))
    eager = DefaultTrainer(graph, nn.MSELoss(), optim.SGD(graph.parameters(), lr=0.1), capture=False)
    y = ts.full((1, 1), math.nan)
    assert eager.find_non_finite(graph, eager.optimizer, {"x": ts.ones((1, 1))}, y) is None


def test_gradients_through_a_scan_are_followed():
    def body(state, x):
        return state * x, state

    def step(xs):
        last, _ = ts.scan(body, ts.ones(()), xs)
        return ts.log(last - 8.0)

    found = ts.compile(step).find_non_finite(ts.asarray([2.0, 2.0, 1.0]))
    assert (found.kind, found.source) == ("nan", "log")


def test_batches_with_bad_gradients_can_be_left_out_or_end_the_run():
    x, y = rows()
    y[6] = math.nan

    def seeded():
        ts.manual_seed(0)
        return nn.Linear(3, 1)

    whole = loop_of(seeded(), x[:4], y[:4])
    history = whole.run().history
    skipping = loop_of(seeded(), x, y)
    skipping.config = LoopConfig(max_epochs=2, on_nan="skip")
    result = skipping.run()
    assert [one.training_loss for one in result.history] == [one.training_loss for one in history]
    assert skipping.progress.step == 4
    stopping = loop_of(seeded(), x, y)
    stopping.config = LoopConfig(max_epochs=2, on_nan="stop")
    result = stopping.run()
    assert (result.status, result.total_epochs, stopping.progress.step) == ("early_stopped", 0, 2)
    assert result.extensions["stop_reason"] == "a gradient that is not finite"
