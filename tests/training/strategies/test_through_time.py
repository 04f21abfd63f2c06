"""Gradients through time against autograd with the state detached by hand."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.testing import check_gradient_strategy
from trainsmith.training import Batch, DefaultBackpropStrategy, DefaultTrainer, Graph, OneStepApproximationStrategy
from trainsmith.training.strategies import BackpropThroughTimeStrategy

ROWS, STEPS = 3, 7
GENERATOR = np.random.default_rng(0)
X = ts.asarray(GENERATOR.normal(size=(ROWS, STEPS, 2)))
Y = ts.asarray(GENERATOR.normal(size=(ROWS, STEPS, 4)))
MSE = nn.MSELoss()


class Fixed(nn.Module):
    """z <- tanh(W z + U x)."""

    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(2, 4)

    def forward(self, x, state=None):
        after = self.cell(x, state)
        return after, after


def recurrent(kind="GRU"):
    ts.manual_seed(0)
    return Graph(getattr(nn, kind)(2, 4, batch_first=True).double(), recurrent=True)


def by_hand(graph, cuts, per_step, loss=MSE):
    """Walks step by step and detaches the state before each step in `cuts`."""
    state, outputs = None, []
    for step in range(STEPS):
        if step in cuts and state is not None:
            state = tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()
        output, state = graph.module(X[:, step : step + 1], state)
        outputs.append(output)
    output = ts.concat(outputs, axis=1)
    value = loss(output, Y) if per_step else loss(output[:, -1], Y[:, -1])
    value.backward()
    return float(value), [np.asarray(one.grad) for one in graph.parameters()]


def by_strategy(strategy, graph, targets, loss=MSE, inputs=X):
    value = strategy.compute_gradients(graph, loss, Batch(inputs={"x": inputs}, targets=targets))
    return float(value), [np.asarray(one.grad) for one in graph.parameters()]


def agree(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_full_is_plain_back_propagation(kind):
    expected = by_hand(recurrent(kind), (), True)
    agree(by_strategy(BackpropThroughTimeStrategy(), recurrent(kind), Y), expected)
    agree(by_strategy(DefaultBackpropStrategy(), recurrent(kind), Y), expected)
    last = by_hand(recurrent(kind), (), False)
    agree(by_strategy(BackpropThroughTimeStrategy(per_step=False), recurrent(kind), Y[:, -1]), last)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("window", [1, 3, 7, 20])
def test_truncated_is_autograd_with_a_detached_state(kind, window):
    cuts = range(0, STEPS, window)
    strategy = BackpropThroughTimeStrategy(window)
    agree(by_strategy(strategy, recurrent(kind), Y), by_hand(recurrent(kind), cuts, True))
    cuts = (STEPS - window,)
    strategy = BackpropThroughTimeStrategy(window, per_step=False)
    agree(by_strategy(strategy, recurrent(kind), Y[:, -1]), by_hand(recurrent(kind), cuts, False))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_one_step_is_autograd_with_a_detached_state(kind):
    found = by_strategy(OneStepApproximationStrategy(), recurrent(kind), Y[:, -1:])
    agree(found, by_hand(recurrent(kind), (STEPS - 1,), False))
    full = by_hand(recurrent(kind), (), False)
    assert not np.allclose(found[1][1], full[1][1], rtol=1e-3)


@pytest.mark.parametrize("applications", [1, 2, 5])
def test_one_step_of_a_fixed_point_differentiates_the_last_application(applications):
    ts.manual_seed(0)
    graph = Graph(Fixed().double(), recurrent=True)
    x, y = X[:, 0], Y[:, 0]
    found = by_strategy(OneStepApproximationStrategy(applications=applications), graph, y, inputs=x)
    for one in graph.parameters():
        one.grad = None
    state = None
    for _ in range(applications):
        state = None if state is None else state.detach()
        output, state = graph.module(x, state)
    value = MSE(output, y)
    value.backward()
    agree(found, (float(value), [np.asarray(one.grad) for one in graph.parameters()]))


def test_tanh_is_differentiated_where_it_is_applied():
    graph = Graph(nn.RNN(1, 1, batch_first=True, bias=False).double(), recurrent=True)
    graph.module.weight_ih_l0.copy_(ts.asarray([[1.0]], dtype=ts.float64))
    graph.module.weight_hh_l0.copy_(ts.asarray([[0.0]], dtype=ts.float64))
    x = ts.asarray([[[5.0], [1.0]]], dtype=ts.float64)
    strategy = OneStepApproximationStrategy()
    strategy.compute_gradients(graph, lambda output, targets: output.sum(), Batch(inputs={"x": x}, targets=x))
    assert float(graph.module.weight_ih_l0.grad) == pytest.approx(0.4199743416, rel=1e-9)
    assert float(graph.module.weight_hh_l0.grad) == pytest.approx(0.4199743416 * math.tanh(5.0), rel=1e-9)


def test_one_step_of_a_graph_without_state_is_plain_back_propagation():
    graphs = []
    for _ in range(2):
        ts.manual_seed(0)
        graphs.append(Graph(nn.Sequential(nn.Linear(2, 4), nn.Tanh()).double()))
    agree(
        by_strategy(OneStepApproximationStrategy(), graphs[0], Y),
        by_strategy(DefaultBackpropStrategy(), graphs[1], Y),
    )


def test_ignored_steps_and_weights_count_as_in_the_whole():
    labels = np.where(np.arange(STEPS) < np.array([[2], [3], [4]]), GENERATOR.integers(0, 4, (ROWS, STEPS)), -1)

    class Tokens:
        main = nn.CrossEntropyLoss(ignore_index=-1)

        def __call__(self, output, targets):
            return self.main(ts.permute_dims(output, (0, 2, 1)), targets)

    class Each(Tokens):
        main = nn.CrossEntropyLoss(reduction="none")

    targets, mask = ts.asarray(labels), ts.asarray((labels >= 0).astype(np.float64))
    row = ts.asarray([0.5, 2.0, 1.0], dtype=ts.float64)
    cases = [(Tokens(), targets, None), (Each(), ts.asarray(np.maximum(labels, 0)), mask), (Each(), abs(targets), row)]
    for loss, wanted, weights in cases:
        batch = Batch(inputs={"x": X}, targets=wanted, weights=weights)
        graph = recurrent()
        values = [
            float(BackpropThroughTimeStrategy(window).compute_gradients(graph, loss, batch)) for window in (None, 2)
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-12)
        assert all(np.isfinite(np.asarray(one.grad)).all() for one in graph.parameters())


@pytest.mark.parametrize(
    ("strategy", "targets"),
    [
        (OneStepApproximationStrategy(), Y[:, -1:]),
        (BackpropThroughTimeStrategy(3), Y),
        (BackpropThroughTimeStrategy(3, per_step=False), Y[:, -1]),
    ],
)
def test_captured_steps_agree_and_the_laws_hold(strategy, targets):
    weights = []
    for capture in (True, False):
        graph = recurrent()
        optimizer = optim.SGD(graph.parameters(), lr=0.1)
        trainer = DefaultTrainer(graph, MSE, optimizer, strategy, capture=capture)
        losses = [float(trainer.train_step(graph, optimizer, {"x": X}, targets)) for _ in range(4)]
        assert losses[-1] < losses[0]
        weights.append(np.concatenate([np.asarray(one).ravel() for one in graph.parameters()]))
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-10)
    batch = Batch(inputs={"x": X}, targets=targets)
    check_gradient_strategy(strategy, graph=recurrent(), loss=MSE, batch=batch)


def test_misuse_is_named():
    with pytest.raises(ArgumentError, match="needs an axis or a number"):
        OneStepApproximationStrategy(applications=0)
    with pytest.raises(ArgumentError, match="needs an axis and a length"):
        BackpropThroughTimeStrategy(0)
    with pytest.raises(ShapeError, match="each time step needs a target"):
        by_strategy(BackpropThroughTimeStrategy(), recurrent(), Y[:, 0])
    with pytest.raises(ShapeError, match="one length in time"):
        by_strategy(BackpropThroughTimeStrategy(), recurrent(), Y, inputs=X[:, :0])
