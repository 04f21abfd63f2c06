"""Clipping around other strategies."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError
from trainsmith.testing import check_gradient_strategy
from trainsmith.training import Batch, DefaultBackpropStrategy, DefaultTrainer, GradientStrategyAdapter, Graph
from trainsmith.training.strategies import AbstractStrategy, ClippingStrategy

X = ts.asarray([[3.0, 4.0]], dtype=ts.float64)


def total(output, targets):
    return output.sum()


def graph_of_ones():
    graph = Graph(nn.Linear(2, 1, bias=False).double())
    graph.module.weight.copy_(ts.ones((1, 2), dtype=ts.float64))
    return graph


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"max_norm": 2.5}, [1.5, 2.0]),
        ({"max_norm": 5.1}, [3.0, 4.0]),
        ({"max_value": 3.5}, [3.0, 3.5]),
        ({"max_value": 3.0, "max_norm": 3.0}, [3 / 2**0.5, 3 / 2**0.5]),
    ],
)
@pytest.mark.parametrize("capture", [True, False])
def test_gradients_are_limited(bounds, expected, capture):
    graph = graph_of_ones()
    optimizer = optim.SGD(graph.parameters(), lr=1.0)
    trainer = DefaultTrainer(graph, total, optimizer, ClippingStrategy(**bounds), capture=capture)
    trainer.train_step(graph, optimizer, {"x": X}, X)
    np.testing.assert_allclose(1 - np.asarray(graph.module.weight)[0], expected, rtol=1e-6)


def test_the_laws_hold():
    batch = Batch(inputs={"x": X}, targets=X)
    check_gradient_strategy(ClippingStrategy(max_norm=1e3), graph=graph_of_ones(), loss=total, batch=batch)


@pytest.mark.parametrize("bounds", [{}, {"max_norm": 0.0}, {"max_value": -1.0}, {"max_norm": float("nan")}])
def test_bounds_are_checked(bounds):
    with pytest.raises(ArgumentError, match="needs a bound above 0"):
        ClippingStrategy(**bounds)


def test_the_step_and_state_are_those_inside():
    class Kept(AbstractStrategy):
        state = 1

        def compute_gradients(self, graph, loss, batch, *, ctx=None):
            return DefaultBackpropStrategy().compute_gradients(graph, loss, batch, ctx=ctx)

        def step(self, optimizer):
            self.stepped = optimizer

        def state_dict(self):
            return {"state": self.state}

        def load_state_dict(self, state):
            self.state = state["state"]

    inner = Kept()
    strategy = ClippingStrategy(inner, max_norm=1.0)
    strategy.step("optimizer")
    assert inner.stepped == "optimizer"
    strategy.load_state_dict({"state": 7})
    assert strategy.state_dict() == {"state": 7}
    assert DefaultTrainer(None, total, None, strategy).state_dict() == {"strategy": {"state": 7}}


def test_the_adapter_takes_batches_alone():
    graph = graph_of_ones()
    adapter = GradientStrategyAdapter(DefaultBackpropStrategy(), graph, total)
    assert float(adapter.compute_gradients_from_batch(Batch(inputs={"x": X}, targets=X))) == 7.0
    assert graph.module.weight.grad.tolist() == [[3.0, 4.0]]
    with pytest.raises(ArgumentError, match="gradients need a batch"):
        adapter.compute_gradients_from_batch(None)
