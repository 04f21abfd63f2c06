"""Terms beside the loss."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError
from trainsmith.testing import check_gradient_strategy
from trainsmith.training import Batch, Graph
from trainsmith.training.strategies import AccumulationStrategy, AuxiliaryLossStrategy

GENERATOR = np.random.default_rng(0)
X, Y = ts.asarray(GENERATOR.normal(size=(9, 3))), ts.asarray(GENERATOR.normal(size=(9, 1)))
WEIGHTS = ts.asarray(GENERATOR.uniform(0, 2, size=9))


def decay(graph, output, targets):
    return sum((one**2).sum() for one in graph.parameters())


def size(graph, output, targets):
    return (output**2).mean()


TERMS = {"decay": (0.1, decay), "size": (0.5, size)}


def graph():
    ts.manual_seed(0)
    return Graph(nn.Linear(3, 1).double())


def gradients_of(one):
    return [np.asarray(parameter.grad) for parameter in one.parameters()]


def test_the_gradient_is_that_of_the_sum():
    one, other = graph(), graph()
    found = AuxiliaryLossStrategy(TERMS).compute_gradients(one, nn.MSELoss(), Batch(inputs={"x": X}, targets=Y))
    output = other(X)
    value = ((output - Y) ** 2).mean() + 0.1 * decay(other, output, Y) + 0.5 * size(other, output, Y)
    value.backward()
    assert float(found) == pytest.approx(float(value), rel=1e-12)
    for a, b in zip(gradients_of(one), gradients_of(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("order", ["inside", "around"])
def test_it_composes_with_accumulation(order):
    batch = Batch(inputs={"x": X}, targets=Y, weights=WEIGHTS)
    terms = {"decay": TERMS["decay"]}
    loss = nn.MSELoss(reduction="none")
    one, other = graph(), graph()
    whole = AuxiliaryLossStrategy(terms).compute_gradients(one, loss, batch)
    parts = (
        AccumulationStrategy(4, AuxiliaryLossStrategy(terms))
        if order == "inside"
        else AuxiliaryLossStrategy(terms, AccumulationStrategy(4))
    )
    assert float(parts.compute_gradients(other, loss, batch)) == pytest.approx(float(whole), rel=1e-12)
    for a, b in zip(gradients_of(one), gradients_of(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_laws_hold():
    strategy = AuxiliaryLossStrategy(TERMS)
    check_gradient_strategy(strategy, graph=graph(), loss=nn.MSELoss(), batch=Batch(inputs={"x": X}, targets=Y))
    assert set(strategy.terms) == {"decay", "size"}


@pytest.mark.parametrize("terms", [{}, None, {"a": decay}, {"a": (1.0, 2.0)}])
def test_terms_are_checked(terms):
    with pytest.raises(ArgumentError, match="a term is a factor and a function"):
        AuxiliaryLossStrategy(terms)
