"""Micro-batches give the loss and gradients of the whole batch."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError
from trainsmith.testing import check_gradient_strategy
from trainsmith.training import Batch, DefaultBackpropStrategy, DefaultTrainer, Graph
from trainsmith.training.strategies import AccumulationStrategy, ClippingStrategy

ROWS, TOKENS, CLASSES = 11, 7, 5
GENERATOR = np.random.default_rng(0)


def array(*shape):
    return ts.asarray(GENERATOR.normal(size=shape))


X, Y = array(ROWS, 3), array(ROWS, 1)
SEQUENCE = array(ROWS, TOKENS, 3)
LENGTHS = np.arange(ROWS) % TOKENS + 1
MASK = np.arange(TOKENS) < LENGTHS[:, None]
LABELS = GENERATOR.integers(0, CLASSES, size=(ROWS, TOKENS))


def model(outputs):
    ts.manual_seed(0)
    return Graph(nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, outputs)).double())


class TokenLoss:
    """Cross entropy of every token, shape (rows, tokens)."""

    def __init__(self, **options):
        self.main = nn.CrossEntropyLoss(**options)

    def __call__(self, output, targets):
        return self.main(ts.permute_dims(output, (0, 2, 1)), targets)


CASES = {
    "rows": (1, nn.MSELoss(), Batch(inputs={"x": X}, targets=Y)),
    "sum": (1, nn.MSELoss(reduction="sum"), Batch(inputs={"x": X}, targets=Y)),
    "row weights": (
        1,
        nn.MSELoss(reduction="none"),
        Batch(inputs={"x": X}, targets=Y, weights=ts.asarray(GENERATOR.uniform(0, 3, size=ROWS))),
    ),
    "token mask": (
        CLASSES,
        TokenLoss(reduction="none"),
        Batch(inputs={"x": SEQUENCE}, targets=ts.asarray(LABELS), weights=ts.asarray(MASK.astype(np.float64))),
    ),
    "ignored tokens": (
        CLASSES,
        TokenLoss(ignore_index=-100),
        Batch(inputs={"x": SEQUENCE}, targets=ts.asarray(np.where(MASK, LABELS, -100))),
    ),
    "class weights": (
        CLASSES,
        TokenLoss(ignore_index=-100, weight=ts.asarray(GENERATOR.uniform(0.5, 2, size=CLASSES))),
        Batch(inputs={"x": SEQUENCE}, targets=ts.asarray(np.where(MASK, LABELS, -100))),
    ),
}


def gradients(strategy, graph, loss, batch):
    for one in graph.parameters():
        one.grad = None
    value = strategy.compute_gradients(graph, loss, batch)
    return [float(value), *(np.asarray(one.grad) for one in graph.parameters())]


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize("case", ["row weights", "token mask", "ignored tokens", "class weights"])
def test_a_part_in_which_nothing_counts_adds_nothing(case, capture):
    outputs, loss, batch = CASES[case]
    empty = slice(0, 6)
    weights = None if batch.weights is None else np.array(batch.weights)
    targets = np.array(batch.targets)
    if weights is None:
        targets[empty] = -100
    else:
        weights[empty] = 0
    batch = Batch(
        inputs=batch.inputs, targets=ts.asarray(targets), weights=None if weights is None else ts.asarray(weights)
    )
    found = []
    for strategy in (DefaultBackpropStrategy(), AccumulationStrategy(4)):
        graph = model(outputs)
        optimizer = optim.SGD(graph.parameters(), lr=0.1)
        trainer = DefaultTrainer(graph, loss, optimizer, strategy, capture=capture)
        value = trainer.train_step(graph, optimizer, batch.inputs, batch.targets, weights=batch.weights)
        found.append([float(value), *(np.asarray(one) for one in graph.parameters())])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_a_batch_in_which_no_row_counts_gives_no_gradient():
    graph, weights = model(1), ts.zeros((ROWS,), dtype=ts.float64)
    batch = Batch(inputs={"x": X}, targets=Y, weights=weights)
    for strategy in (DefaultBackpropStrategy(), AccumulationStrategy(4)):
        value, *grads = gradients(strategy, graph, nn.MSELoss(reduction="none"), batch)
        assert value == 0.0
        assert not any(one.any() for one in grads)


@pytest.mark.parametrize("micro_batches", [1, 2, 4])
@pytest.mark.parametrize("case", CASES)
def test_parts_add_up_to_the_batch(case, micro_batches):
    outputs, loss, batch = CASES[case]
    graph = model(outputs)
    expected = gradients(DefaultBackpropStrategy(), graph, loss, batch)
    found = gradients(AccumulationStrategy(micro_batches), graph, loss, batch)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_captured_steps_agree(case):
    outputs, loss, batch = CASES[case]
    weights = []
    for strategy, capture in ((None, False), (AccumulationStrategy(4), True)):
        graph = model(outputs)
        optimizer = optim.SGD(graph.parameters(), lr=0.1)
        trainer = DefaultTrainer(graph, loss, optimizer, strategy, capture=capture)
        for _ in range(3):
            trainer.train_step(graph, optimizer, batch.inputs, batch.targets, weights=batch.weights)
        weights.append(np.concatenate([np.asarray(one).ravel() for one in graph.parameters()]))
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-12, atol=1e-12)


def test_unequal_parts_are_not_averaged_plainly():
    outputs, loss, batch = CASES["ignored tokens"]
    graph = model(outputs)
    expected = gradients(DefaultBackpropStrategy(), graph, loss, batch)[0]
    halves = [
        float(loss(graph(batch.inputs["x"][part]), batch.targets[part])) for part in (slice(0, 5), slice(5, ROWS))
    ]
    assert abs(np.mean(halves) - expected) > 1e-3


def test_a_batch_has_no_more_parts_than_rows():
    graph = model(1)
    seen = []

    class Counting:
        def compute_gradients(self, graph, loss, batch, *, ctx=None):
            seen.append(batch.rows)
            return DefaultBackpropStrategy().compute_gradients(graph, loss, batch)

    AccumulationStrategy(4, Counting()).compute_gradients(
        graph, nn.MSELoss(), Batch(inputs={"x": X[:3]}, targets=Y[:3])
    )
    AccumulationStrategy(4, Counting()).compute_gradients(graph, nn.MSELoss(), Batch(inputs={"x": X}, targets=Y))
    assert seen == [1, 1, 1, 2, 3, 3, 3]


def test_the_laws_hold_and_clipping_goes_around():
    _, loss, batch = CASES["rows"]
    check_gradient_strategy(AccumulationStrategy(3), graph=model(1), loss=loss, batch=batch)
    graph = model(1)
    bound = ClippingStrategy(AccumulationStrategy(3), max_norm=0.01)
    found = gradients(bound, graph, loss, batch)[1:]
    assert np.sqrt(sum((one**2).sum() for one in found)) == pytest.approx(0.01, rel=1e-4)


def test_a_parameter_without_a_gradient_stays_without():
    graph = model(1)
    frozen, extra = graph.module[0].weight, nn.Parameter(ts.zeros(2, dtype=ts.float64))
    frozen.requires_grad_(False)
    graph.module.register_parameter("extra", extra)
    _, loss, batch = CASES["rows"]
    AccumulationStrategy(2).compute_gradients(graph, loss, batch)
    assert frozen.grad is None
    assert extra.grad is None
    assert graph.module[0].bias.grad is not None


def test_a_failure_leaves_the_gradients_that_stood():
    graph = model(1)
    _, loss, batch = CASES["rows"]
    expected = gradients(DefaultBackpropStrategy(), graph, loss, batch)[1:]

    class Failing:
        left = 2

        def compute_gradients(self, graph, loss, batch, *, ctx=None):
            self.left -= 1
            if not self.left:
                raise KeyError("no more")
            return DefaultBackpropStrategy().compute_gradients(graph, loss, batch)

    with pytest.raises(KeyError):
        AccumulationStrategy(4, Failing()).compute_gradients(graph, loss, batch)
    for one, grad in zip(graph.parameters(), expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one.grad), grad)


@pytest.mark.parametrize("parts", [0, -1, 1.5])
def test_the_number_is_checked(parts):
    with pytest.raises(ArgumentError, match="whole number of at least 1"):
        AccumulationStrategy(parts)
