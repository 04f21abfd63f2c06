"""The loss scaler and mixed precision: overflow skips a step, and the scale follows."""

from itertools import pairwise

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError
from trainsmith.testing import check_gradient_strategy, check_trainer
from trainsmith.training import Batch, DefaultTrainer, Graph
from trainsmith.training.strategies import (
    AccumulationStrategy,
    AuxiliaryLossStrategy,
    ClippingStrategy,
    LossScaler,
    MixedPrecisionStrategy,
)

GENERATOR = np.random.default_rng(0)
X = ts.asarray(GENERATOR.normal(size=(16, 4)).astype("float32"))
Y = ts.asarray(GENERATOR.normal(size=(16, 1)).astype("float32"))
MSE = nn.MSELoss()


def net():
    ts.manual_seed(0)
    return Graph(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)))


def weights_of(graph):
    return np.concatenate([np.asarray(one).ravel() for one in graph.parameters()])


@pytest.mark.parametrize("capture", [True, False])
def test_an_overflow_skips_the_step_and_halves_the_scale(capture):
    graph = net()
    optimizer = optim.AdamW(graph.parameters(), lr=0.01)
    strategy = MixedPrecisionStrategy(dtype=ts.float16, scaler=LossScaler(2.0**24, growth_interval=4))
    trainer = DefaultTrainer(graph, MSE, optimizer, strategy, capture=capture)
    before, scales, counts = weights_of(graph), [], []
    for _ in range(14):
        loss = trainer.train_step(graph, optimizer, {"x": X}, Y)
        assert np.isfinite(float(loss))
        scales.append(strategy.scaler.scale)
        state = optimizer.state_dict()["state"]
        counts.append(int(float(state[0]["step"])) if state else 0)
        if counts[-1] == 0:
            np.testing.assert_array_equal(weights_of(graph), before)
    assert scales[0] == 2.0**23
    assert counts[0] == 0
    assert counts[-1] >= 4
    skipped = 1 + sum(later < earlier for earlier, later in pairwise(scales))
    assert counts[-1] == 14 - skipped


@pytest.mark.parametrize("dtype", [ts.bfloat16, ts.float16])
@pytest.mark.parametrize("capture", [True, False])
def test_half_precision_learns_as_full_precision_does(dtype, capture):
    weights = []
    for strategy in (None, MixedPrecisionStrategy(dtype=dtype)):
        graph = net()
        optimizer = optim.SGD(graph.parameters(), lr=0.05)
        trainer = DefaultTrainer(graph, MSE, optimizer, strategy, capture=capture)
        for _ in range(20):
            loss = trainer.train_step(graph, optimizer, {"x": X}, Y)
        assert loss.dtype == ts.float32
        assert all(one.dtype == ts.float32 for one in graph.parameters())
        weights.append(weights_of(graph))
    assert not np.array_equal(*weights)
    np.testing.assert_allclose(*weights, atol=0.02 if dtype == ts.bfloat16 else 5e-3)


def test_the_laws_hold():
    for strategy in (MixedPrecisionStrategy(), MixedPrecisionStrategy(dtype=ts.float16)):
        graph = net()
        check_gradient_strategy(strategy, graph=graph, loss=MSE, batch=Batch(inputs={"x": X}, targets=Y))
        optimizer = optim.SGD(graph.parameters(), lr=0.05)
        trainer = DefaultTrainer(graph, MSE, optimizer, MixedPrecisionStrategy(dtype=ts.float16))
        check_trainer(trainer, graph=graph, optimizer=optimizer, inputs={"x": X}, targets=Y)


def penalty(graph, output, targets):
    return 0.01 * sum((one**2).sum() for one in graph.parameters())


@pytest.mark.parametrize("order", ["accumulate inside", "accumulate around"])
def test_it_composes(order):
    weights = np.random.default_rng(3).uniform(0.5, 2, size=16).astype("float32")
    batch = Batch(inputs={"x": X}, targets=Y, weights=ts.asarray(weights))
    loss = nn.MSELoss(reduction="none")
    inner = AuxiliaryLossStrategy({"penalty": (1.0, penalty)})
    scaler = LossScaler(256.0)
    strategies = {
        "accumulate inside": MixedPrecisionStrategy(AccumulationStrategy(4, inner), dtype=ts.float16, scaler=scaler),
        "accumulate around": AccumulationStrategy(4, MixedPrecisionStrategy(inner, dtype=ts.float16, scaler=scaler)),
    }
    graph, plain = net(), net()
    optimizer = optim.SGD(graph.parameters(), lr=0.05)
    strategy = ClippingStrategy(strategies[order], max_norm=0.5)
    trainer = DefaultTrainer(graph, loss, optimizer, strategy, gradient_norm=True)
    found = trainer.train_step(graph, optimizer, batch.inputs, Y, weights=batch.weights)
    expected = ClippingStrategy(inner, max_norm=0.5).compute_gradients(plain, loss, batch)
    assert float(found) == pytest.approx(float(expected), rel=5e-3)
    optim.SGD(plain.parameters(), lr=0.05).step()
    np.testing.assert_allclose(weights_of(graph), weights_of(plain), atol=2e-4)
    assert float(trainer.last_gradient_norm) == pytest.approx(0.5, rel=0.01)
    assert scaler.state_dict() == {"scale": 256.0, "clean_steps": 1}


def test_a_trainer_resumes_with_the_scale():
    graph = net()
    optimizer = optim.SGD(graph.parameters(), lr=0.05)

    def trainer():
        scaler = LossScaler(1024.0, growth_interval=3)
        return DefaultTrainer(graph, MSE, optimizer, MixedPrecisionStrategy(dtype=ts.float16, scaler=scaler))

    first, second = trainer(), trainer()
    for _ in range(5):
        first.train_step(graph, optimizer, {"x": X}, Y)
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == {"strategy": {"scaler": {"scale": 2048.0, "clean_steps": 2}, "inner": {}}}
    second.train_step(graph, optimizer, {"x": X}, Y)
    assert second.strategy.scaler.scale == 4096.0


def test_the_dtype_is_checked():
    with pytest.raises(ArgumentError, match="products run in half precision"):
        MixedPrecisionStrategy(dtype=ts.float32)
    assert MixedPrecisionStrategy().scaler is None
