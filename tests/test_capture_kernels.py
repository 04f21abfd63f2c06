"""Steps that are cut, packed, fused and run in place equal eager ones, at sizes that fill no register and no panel."""

from typing import Any

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.nn import functional


class Residual(nn.Module):
    """A product whose sum is added to its input: bias and matrix after one product."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        return x + self.inner(x)


def model(width: int) -> nn.Module:
    layers = [nn.Linear(33, width), nn.ReLU(), Residual(width), nn.Linear(width, width, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 5))


def losses(batch: int, width: int, make: Any, *, compiled: bool) -> list[float]:
    ts.manual_seed(0)
    trained = model(width)
    optimizer = make(trained.parameters())
    numbers = np.random.default_rng(1)
    x, y = (ts.asarray(numbers.standard_normal((batch, size), dtype=np.float32)) for size in (33, 5))

    def step(x: ts.Tensor, y: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        loss = functional.mse_loss(trained(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = ts.compile(step) if compiled else step
    return [float(run(x, y)) for _ in range(8)]


@pytest.mark.parametrize(("batch", "width"), [(200, 70), (129, 128), (70, 300)])
@pytest.mark.parametrize("optimizer", [optim.AdamW, optim.Adam, lambda p: optim.SGD(p, lr=0.05, momentum=0.9)])
def test_captured_training_equals_eager_training(batch: int, width: int, optimizer: Any) -> None:
    eager, captured = (losses(batch, width, optimizer, compiled=compiled) for compiled in (False, True))
    assert np.allclose(eager, captured, rtol=0, atol=1e-5 * eager[0])
    assert eager[-1] < eager[0]


def test_a_product_without_terms_is_its_bias() -> None:
    bias = ts.asarray(np.arange(70, dtype=np.float32))
    run = ts.compile(lambda x, w: functional.relu(x @ w + bias - 3.0))
    got = run(ts.zeros((600, 0)), ts.zeros((0, 70)))
    assert np.array_equal(np.asarray(got), np.tile(np.maximum(np.arange(70, dtype=np.float32) - 3, 0), (600, 1)))


@pytest.mark.parametrize(
    "after",
    [
        lambda y, b, c: y * c,
        lambda y, b, c: ts.where(y + b <= 0, ts.zeros_like(y), y + b) * c,
        lambda y, b, c: c * ts.where(c <= 0, ts.zeros_like(y), y),
        lambda y, b, c: (y + b) * y,
        lambda y, b, c: ts.where(y <= 0, ts.zeros_like(y), y + c) * y,
        lambda y, b, c: (y * c) * c,
    ],
)
def test_what_follows_a_product_runs_once_for_each_element(after: Any) -> None:
    numbers = np.random.default_rng(2)
    shapes = [(70, 33), (33, 40), (40,), (70, 40)]
    x, w, b, c = (ts.asarray(numbers.standard_normal(shape, dtype=np.float32)) for shape in shapes)

    def run(x: ts.Tensor) -> ts.Tensor:
        return after(x @ w, b, c)

    assert np.asarray(ts.compile(run)(x)).tobytes() == np.asarray(run(x)).tobytes()


def test_gradients_of_biases_have_the_bits_of_eager_ones():
    generator = np.random.default_rng(5)
    x, w, v = (generator.standard_normal(shape, dtype=np.float32) for shape in ((512, 256), (256, 128), (128, 64)))
    first, second = nn.Parameter(ts.zeros(128)), nn.Parameter(ts.zeros(64))

    def gradients(x):
        first.grad = second.grad = None
        hidden = functional.relu(x @ ts.asarray(w) + first)
        ts.mean((hidden @ ts.asarray(v) + second) ** 2).backward()
        return first.grad, second.grad

    eager = [np.asarray(grad) for grad in gradients(ts.asarray(x))]
    captured = [np.asarray(grad) for grad in ts.compile(gradients)(ts.asarray(x))]
    assert all(np.array_equal(a, b) for a, b in zip(eager, captured))
