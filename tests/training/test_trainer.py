"""The default trainer: captured steps that do what an own loop does."""

import math
import time
from collections import OrderedDict
from types import MappingProxyType

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, CancelledError, GraphError, NonFiniteError, ShapeError
from trainsmith.testing import check_trainer
from trainsmith.training import Batch, DefaultBackpropStrategy, DefaultTrainer, Graph, Input, RunContext

GENERATOR = np.random.default_rng(0)
X = ts.asarray(GENERATOR.normal(size=(16, 3)))
Y = ts.asarray(GENERATOR.normal(size=(16, 1)))


def net(dropout=0.0):
    ts.manual_seed(1)
    layers = [nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1)]
    return nn.Sequential(*layers).double()


def made(loss=None, strategy=None, rate=0.05, dropout=0.0, **options):
    graph = Graph(net(dropout), inputs=[Input("x", ts.float64, (None, 3))])
    optimizer = optim.AdamW(graph.parameters(), lr=rate)
    return DefaultTrainer(graph, loss or nn.MSELoss(), optimizer, strategy, **options), graph, optimizer


def weights_of(graph):
    return np.concatenate([np.asarray(one).ravel() for one in graph.state_dict().values()])


def test_the_laws_hold():
    trainer, graph, optimizer = made()
    check_trainer(trainer, graph=graph, optimizer=optimizer, inputs={"x": X}, targets=Y)


@pytest.mark.parametrize("capture", [True, False])
def test_steps_are_those_of_an_own_loop(capture):
    trainer, graph, optimizer = made(dropout=0.3, capture=capture)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    ema = optim.EMA(graph.parameters(), decay=0.5)
    trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer, after_step=[ema.update, scheduler.step], capture=capture)
    ts.manual_seed(5)
    losses = [float(trainer.train_step(graph, optimizer, {"x": X}, Y)) for _ in range(5)]
    model = net(0.3)
    own = optim.AdamW(model.parameters(), lr=0.05)
    own_scheduler = optim.lr_scheduler.ExponentialLR(own, 0.9)
    own_ema = optim.EMA(model.parameters(), decay=0.5)
    ts.manual_seed(5)
    for loss in losses:
        own.zero_grad()
        value = ((model(X) - Y) ** 2).mean()
        value.backward()
        own.step()
        own_ema.update()
        own_scheduler.step()
        assert float(value) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(weights_of(graph), weights_of(model), rtol=1e-12)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05 * 0.9**5)
    with ema.swapped(), own_ema.swapped():
        np.testing.assert_allclose(weights_of(graph), weights_of(model), rtol=1e-12)


def test_one_plan_per_signature():
    trainer, graph, optimizer = made()
    for rows in (16, 4, 16, 4, 16):
        trainer.train_step(graph, optimizer, {"x": X[:rows]}, Y[:rows])
        optimizer.param_groups[0]["lr"] *= 0.5
    (step,) = trainer._training.values()
    assert len(step.plans) == 2
    assert sum(plan.runs for plan in step.plans) == 5


def test_the_graph_and_optimizer_of_the_call_count():
    trainer, graph, _ = made()
    others = [made()[1:] for _ in range(10)]
    before = weights_of(graph)
    for other, worker in others:
        trainer.train_step(other, worker, {"x": X}, Y)
        assert not np.array_equal(weights_of(other), before)
    np.testing.assert_array_equal(weights_of(graph), before)
    for other, _ in others:
        np.testing.assert_array_equal(weights_of(other), weights_of(others[0][0]))
    assert len(trainer._training) == 8


def test_the_seed_is_ones_and_not_the_loss():
    graph = Graph(nn.Linear(1, 1, bias=False).double())
    graph.module.weight.copy_(ts.asarray([[2.0]]))
    batch = Batch(inputs={"x": ts.asarray([[3.0]], dtype=ts.float64)}, targets=ts.asarray([[1.0]], dtype=ts.float64))
    loss = DefaultBackpropStrategy().compute_gradients(graph, nn.MSELoss(), batch)
    assert float(loss) == 25.0
    assert graph.module.weight.grad.tolist() == [[2 * 5.0 * 3.0]]


def test_losses_per_row_are_weighted():
    weights = ts.asarray(GENERATOR.uniform(0, 2, size=16))
    trainer, graph, optimizer = made(nn.MSELoss(reduction="none"))
    expected = np.average(np.asarray((graph(X) - Y).detach())[:, 0] ** 2, weights=np.asarray(weights))
    plain = np.mean(np.asarray((graph(X) - Y).detach()) ** 2)
    assert float(trainer.evaluate_step(graph, {"x": X}, Y, weights=weights).loss) == pytest.approx(expected)
    assert float(trainer.evaluate_step(graph, {"x": X}, Y).loss) == pytest.approx(plain)
    assert float(trainer.train_step(graph, optimizer, {"x": X}, Y, weights=weights)) == pytest.approx(expected)
    with pytest.raises(ShapeError, match="weights must have the leading axes of the loss"):
        trainer.train_step(graph, optimizer, {"x": X}, Y, weights=weights[:3])
    with pytest.raises(ArgumentError, match="one value per row"):
        DefaultTrainer(graph, nn.MSELoss()).evaluate_step(graph, {"x": X}, Y, weights=weights)


def test_evaluation_is_captured_and_changes_nothing():
    trainer, graph, _ = made(dropout=0.5)
    graph.module[2].eval()
    before = weights_of(graph)
    for training in (True, True, False):
        graph.module.training = training
        found = trainer.evaluate_step(graph, {"x": X}, Y)
        model = net()
        assert float(found.loss) == pytest.approx(float(((model(X) - Y) ** 2).mean()), rel=1e-12)
        np.testing.assert_allclose(np.asarray(found.output), np.asarray(model(X).detach()), rtol=1e-12)
        assert not found.output.requires_grad
    assert [one.training for one in graph.module] == [True, True, False, True]
    np.testing.assert_array_equal(weights_of(graph), before)
    (step,) = trainer._evaluation.values()
    assert len(step.plans) <= 2


def test_the_norm_of_the_gradients_is_kept():
    trainer, graph, optimizer = made(gradient_norm=True)
    model = net()
    ((model(X) - Y) ** 2).mean().backward()
    expected = math.sqrt(sum(float((one.grad**2).sum()) for one in model.parameters()))
    trainer.train_step(graph, optimizer, {"x": X}, Y)
    assert float(trainer.last_gradient_norm) == pytest.approx(expected, rel=1e-12)
    assert made()[0].last_gradient_norm is None


def test_a_done_context_changes_nothing():
    trainer, graph, optimizer = made()
    context = RunContext()
    context.cancel("enough")
    with pytest.raises(CancelledError, match="enough"):
        trainer.train_step(graph, optimizer, {"x": X}, Y, ctx=context)
    with pytest.raises(CancelledError, match="evaluate_step"):
        trainer.evaluate_step(graph, {"x": X}, Y, ctx=context)


@pytest.mark.parametrize("capture", [True, False])
def test_a_gradient_that_is_not_finite_changes_nothing(capture):
    trainer, graph, optimizer = made(capture=capture)
    trainer.train_step(graph, optimizer, {"x": X}, Y)
    before, count = weights_of(graph), optimizer.state_dict()["state"][0]["step"]
    with pytest.raises(NonFiniteError):
        trainer.train_step(graph, optimizer, {"x": X * math.inf}, Y)
    np.testing.assert_array_equal(weights_of(graph), before)
    assert optimizer.state_dict()["state"][0]["step"] == count


def test_a_strategy_that_looks_at_values_needs_no_capture():
    class Looking:
        def compute_gradients(self, graph, loss, batch, *, ctx=None):
            value = DefaultBackpropStrategy().compute_gradients(graph, loss, batch)
            return float(value)

    trainer, graph, optimizer = made(strategy=Looking())
    with pytest.raises(GraphError):
        trainer.train_step(graph, optimizer, {"x": X}, Y)
    trainer, graph, optimizer = made(strategy=Looking(), capture=False)
    check_trainer(trainer, graph=graph, optimizer=optimizer, inputs={"x": X}, targets=Y)
    assert trainer.state_dict() == {"strategy": {}}
    trainer.load_state_dict(trainer.state_dict())


def test_every_so_many_steps_are_compared_with_the_eager_step():
    hidden = [0.0]

    def drifting(output, targets):
        hidden[0] += 1.0
        return ((output - targets) ** 2).mean() * hidden[0]

    trainer, graph, optimizer = made(drifting, check=3)
    for _ in range(2):
        trainer.train_step(graph, optimizer, {"x": X}, Y)
    with pytest.raises(GraphError, match="eager step's"):
        trainer.train_step(graph, optimizer, {"x": X}, Y)
    trainer, graph, optimizer = made(check=2)
    for _ in range(4):
        trainer.train_step(graph, optimizer, {"x": X}, Y)


def test_the_parts_are_checked():
    for loss, strategy in ((None, None), (nn.MSELoss(), object())):
        with pytest.raises(ArgumentError, match="a trainer needs a loss and a strategy"):
            DefaultTrainer(None, loss, None, strategy)


def test_the_trainer_adds_microseconds():
    trainer, graph, optimizer = made()
    inputs = {"x": X}
    trainer.train_step(graph, optimizer, inputs, Y)
    (step,) = trainer._training.values()
    trainer._training = {key: lambda *_: None for key in trainer._training}

    def fastest(call):
        times = []
        for _ in range(20):
            start = time.process_time()
            for _ in range(200):
                call()
            times.append((time.process_time() - start) / 200)
        return min(times)

    assert fastest(lambda: trainer.train_step(graph, optimizer, inputs, Y)) < 2e-5
    assert fastest(lambda: step(inputs, Y)) > 0


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType])
def test_any_mapping_holds_the_inputs(kind):
    """A mapping that is no plain dict must not become a constant of the captured step."""
    losses = []
    for make in (dict, kind):
        trainer, graph, optimizer = made()
        batches = [X, 2 * X, 3 * X]
        losses.append([float(trainer.train_step(graph, optimizer, make({"x": x}), Y)) for x in batches])
        losses[-1] += [float(trainer.evaluate_step(graph, make({"x": x}), Y).loss) for x in batches]
    assert losses[0] == losses[1]
