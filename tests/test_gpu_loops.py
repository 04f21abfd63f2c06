"""Loops of captured steps on a GPU: the CPU's numbers, few dispatches a turn, nothing made once they run."""

import os

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim

pytestmark = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def on_both(function, *arrays):
    """Holds a captured function on the GPU to the CPU's results and to its own bits; gives its dispatches."""
    want = [np.asarray(x) for x in ts.compile(function)(*(ts.asarray(x) for x in arrays))]
    step = ts.compile(function)
    there = [ts.asarray(x, device="gpu") for x in arrays]
    first = [np.asarray(x) for x in step(*there)]
    for _ in range(2):
        step(*there)
    before = ts.debug.counters()
    last = step(*there)
    after = ts.debug.counters()
    for got, again, expected in zip(first, last, want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)
        np.testing.assert_array_equal(got, np.asarray(again))
    assert after["gpu_objects"] == before["gpu_objects"]
    return after["gpu_dispatches"] - before["gpu_dispatches"]


@pytest.mark.parametrize("length", [1, 2, 3, 8, 9, 10, 23])
@pytest.mark.parametrize("reverse", [False, True])
def test_carries_lie_where_the_loop_stacks_them(length, reverse):
    def function(w, a, b, xs):
        def turn(carry, x):
            a, b, c, d = carry
            new = ts.tanh(a @ w + x)
            # One carry is stacked before and after a turn, one before it, and two change places.
            return (new, b + new, d, c), (new, a, b, ts.sin(c))

        carry, stacks = ts.scan(turn, (a, b, a + 1, b * 2), xs, reverse=reverse)
        return (*carry, *stacks)

    on_both(function, draw(5, 5), draw(4, 5), draw(4, 5), draw(length, 4, 5))


def test_a_loop_reads_values_that_lie_in_any_order():
    def function(w, start, xs):
        def turn(carry, x):
            new = ts.tanh(carry @ w.T + x.reshape(-1).reshape(4, 5))
            return new, ts.sum(new, axis=0)

        carry, sums = ts.scan(turn, ts.broadcast_to(start, (4, 5)), ts.permute_dims(xs, (2, 1, 0)))
        return carry, sums

    on_both(function, draw(5, 5), draw(5), draw(5, 4, 12))


def test_a_carry_that_leaves_the_step_lies_in_a_buffer_of_its_own():
    carry, turns = draw(3, 4), draw(11, 3, 4)
    on_both(lambda c, xs: (ts.scan(lambda c, x: (c * 0.5 + x, None), c, xs)[0],), carry, turns)


def test_a_loop_in_a_loop_and_one_with_a_check_run_too():
    def function(xs, at):
        def outer(carry, x):
            inner, _ = ts.scan(lambda c, y: (c * 0.5 + y, None), carry, x)
            return inner, ts.take(inner, at, axis=0)

        return ts.scan(outer, xs[0, 0], xs)

    xs, at = draw(4, 3, 5), np.array([4, 0])
    want = [np.asarray(x) for x in ts.compile(function)(ts.asarray(xs), ts.asarray(at))]
    step = ts.compile(function)
    for _ in range(2):
        got = step(ts.asarray(xs, device="gpu"), ts.asarray(at, device="gpu"))
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(np.asarray(one), other, rtol=1e-5)
    with pytest.raises(IndexError):
        step(ts.asarray(xs, device="gpu"), ts.asarray(at + 1, device="gpu"))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("layer", "most"), [(nn.RNN, 4), (nn.GRU, 9), (nn.LSTM, 6)])
def test_recurrent_layers_train_as_on_the_cpu(layer, most, bidirectional):
    length = 12
    losses = {}
    for device in ("cpu", "gpu"):
        ts.manual_seed(4)
        model = layer(6, 8, batch_first=True, bidirectional=bidirectional).to(device)
        optimizer = optim.AdamW(model.parameters(), lr=1e-2)
        x, y = (ts.asarray(draw(3, length, n), device=device) for n in (6, 16 if bidirectional else 8))

        @ts.compile
        def step(x, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x)[0], y)
            loss.backward()
            optimizer.step()
            return loss

        losses[device] = [float(step(x, y)) for _ in range(6)]
        before = ts.debug.counters()
        float(step(x, y))
        after = ts.debug.counters()
    np.testing.assert_allclose(losses["gpu"], losses["cpu"], rtol=1e-5)
    assert after["gpu_objects"] == before["gpu_objects"]
    dispatches = after["gpu_dispatches"] - before["gpu_dispatches"]
    if os.environ.get("TRAINSMITH_GPU_CAPS") == "t0":
        most *= 2  # few kernels share a dispatch that binds eight operands
    assert 0 < dispatches <= (1 + bidirectional) * most * length + 20, dispatches
