"""Threads: the same bits on any number of them, in forked children, and from several callers at once."""

from __future__ import annotations

import multiprocessing
import threading

import numpy as np
import numpy.typing as npt
import pytest

import trainsmith as ts
from trainsmith import _core, nn, optim
from trainsmith.errors import ArgumentError

Losses = list[float]


pytestmark = pytest.mark.usefixtures("restored_threads")


def batch() -> tuple[ts.Tensor, ts.Tensor]:
    generator = np.random.default_rng(0)
    x: npt.NDArray[np.float32] = generator.normal(size=(256, 64)).astype(np.float32)
    return ts.asarray(x), ts.asarray(np.sin(x[:, :8]))


def losses(steps: int = 5) -> Losses:
    """Trains a network that is large enough for the pool."""
    ts.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 8))
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)

    @ts.compile
    def step(x: ts.Tensor, y: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = batch()
    return [float(step(x, y)) for _ in range(steps)]


def test_the_number_can_be_set_and_asked() -> None:
    ts.set_num_threads(3)
    assert ts.get_num_threads() == 3
    ts.set_num_threads(1)
    assert ts.get_num_threads() == 1


def test_an_impossible_number_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"set_num_threads: expected a number of threads in \[1, 1024\], got 0"):
        ts.set_num_threads(0)


def test_losses_do_not_depend_on_the_number() -> None:
    ts.set_num_threads(1)
    one = losses()
    for count in (2, 4):
        ts.set_num_threads(count)
        assert losses() == one


def into(queue: multiprocessing.Queue[Losses]) -> None:
    queue.put(losses())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("channels", [20, 33, 40, 260])
def test_eager_gradients_of_kernels_do_not_depend_on_it(kernel: int, channels: int) -> None:
    generator = np.random.default_rng(0)
    x: npt.NDArray[np.float32] = generator.normal(size=(4, channels, 14, 14)).astype(np.float32)
    weight: npt.NDArray[np.float32] = generator.normal(size=(50, channels, kernel, kernel)).astype(np.float32)
    found: set[bytes] = set()
    for count in (1, 2, 3):
        ts.set_num_threads(count)
        w = ts.asarray(weight)
        w.requires_grad = True
        nn.functional.conv2d(ts.asarray(x), w, padding=kernel // 2).square().sum().backward()
        assert w.grad is not None
        found.add(np.asarray(w.grad).tobytes())
    assert len(found) == 1


def test_a_forked_child_has_a_pool_of_its_own() -> None:
    ts.set_num_threads(2)
    here = losses()
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[Losses] = context.Queue()
    child = context.Process(target=into, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == here
    child.join(timeout=60)
    assert child.exitcode == 0


def test_callers_at_once_get_what_one_gets_alone() -> None:
    ts.set_num_threads(2)
    model = nn.Linear(64, 8)
    forward = ts.compile(lambda x: ts.tanh(model(x)).sum())
    x, _ = batch()
    alone = float(forward(x))
    results: Losses = []
    callers = [threading.Thread(target=lambda: results.append(float(forward(x)))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    assert results == [alone] * 4


def test_the_steady_state_takes_no_fresh_buffers() -> None:
    losses(3)
    before = _core.counters()["fresh_buffers"]
    few = losses(4)
    first = _core.counters()["fresh_buffers"] - before
    before = _core.counters()["fresh_buffers"]
    many = losses(20)
    assert _core.counters()["fresh_buffers"] - before == first
    assert many[:4] == few


def test_large_factors_take_turns_in_one_memory() -> None:
    """Packed, each of these weights has 4 MiB: steps use the first bytes again while others may still compute."""
    generator = np.random.default_rng(0)
    weights = [ts.asarray(generator.normal(size=(1024, 1024)).astype(np.float32) / 32) for _ in range(6)]
    x = ts.asarray(generator.normal(size=(128, 1024)).astype(np.float32))

    def chain(x: ts.Tensor) -> ts.Tensor:
        for weight in weights:
            x = nn.functional.relu(x @ weight)
        return x

    run = ts.compile(chain)
    for threads in (1, 2):
        ts.set_num_threads(threads)
        for _ in range(3):
            assert np.array_equal(np.asarray(run(x)), np.asarray(chain(x)))
