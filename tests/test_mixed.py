"""Mixed precision: products are narrow, delicate functions and parameters are not."""

import threading

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import DTypeError

F = nn.functional
A, B = ts.full((2, 2), 1.5), ts.full((2, 2), 0.25)
NARROW = {
    "operator": lambda: A @ B,
    "matmul": lambda: ts.matmul(A, B),
    "einsum": lambda: ts.einsum("ij,jk->ik", A, B),
    "tensordot": lambda: ts.tensordot(A, B, axes=1),
    "linear": lambda: F.linear(A, B),
    "convolution": lambda: F.conv1d(ts.ones((1, 1, 4)), ts.ones((1, 1, 2))),
    "transposed convolution": lambda: F.conv_transpose1d(ts.ones((1, 1, 4)), ts.ones((1, 1, 2))),
    "attention": lambda: F.scaled_dot_product_attention(A, B, A),
    "recurrence": lambda: nn.LSTM(2, 3)(ts.ones((4, 2, 2)))[0],
    "cell": lambda: nn.GRUCell(2, 3)(A),
}
NARROW_ARGUMENT = ts.astype(A, ts.bfloat16)
WIDE = {
    "sum": lambda x: ts.sum(x),
    "mean": lambda x: ts.mean(x),
    "std": lambda x: ts.std(x),
    "cumulative_sum": lambda x: ts.cumulative_sum(x, axis=0),
    "softmax": lambda x: F.softmax(x, axis=-1),
    "log_softmax": lambda x: F.log_softmax(x, axis=-1),
    "layer_norm": lambda x: F.layer_norm(x, (2,)),
    "rms_norm": lambda x: F.rms_norm(x, (2,)),
    "batch_norm": lambda x: nn.BatchNorm1d(2)(x),
    "mse_loss": lambda x: F.mse_loss(x, A),
    "cross_entropy": lambda x: F.cross_entropy(x, ts.asarray([0, 1])),
    "quantile_loss": lambda x: F.quantile_loss(x, A, 0.5),
}


@pytest.mark.parametrize("dtype", [ts.bfloat16, ts.float16])
@pytest.mark.parametrize("name", NARROW)
def test_products_are_narrow_inside_and_not_outside(name, dtype):
    ts.manual_seed(0)
    before = NARROW[name]()
    ts.manual_seed(0)
    with ts.autocast(dtype):
        inside = NARROW[name]()
    assert (before.dtype, inside.dtype) == (ts.float32, dtype)
    np.testing.assert_allclose(inside.detach().float(), before.detach(), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", WIDE)
def test_delicate_functions_are_float32(name):
    assert WIDE[name](A).dtype == ts.float32
    with ts.autocast():
        assert WIDE[name](NARROW_ARGUMENT).dtype == ts.float32


def test_other_functions_and_float64_follow_their_operands():
    with ts.autocast():
        assert (NARROW_ARGUMENT + 1).dtype == ts.bfloat16
        assert ts.exp(A).dtype == ts.float32
        assert (ts.astype(A, ts.float64) @ ts.astype(B, ts.float64)).dtype == ts.float64
        assert ts.sum(ts.astype(A, ts.float64)).dtype == ts.float64


def test_it_nests_ends_with_an_error_and_decorates():
    @ts.autocast(ts.float16)
    def product():
        return A @ B

    with ts.autocast():
        assert product().dtype == ts.float16
        with ts.autocast(enabled=False):
            assert not ts.is_autocast_enabled()
            assert (A @ B).dtype == ts.float32
        assert (A @ B).dtype == ts.bfloat16
    with pytest.raises(ZeroDivisionError), ts.autocast():
        raise ZeroDivisionError
    assert not ts.is_autocast_enabled()


def test_another_thread_is_left_alone():
    seen = []
    with ts.autocast():
        thread = threading.Thread(target=lambda: seen.append(ts.is_autocast_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_compiled_function_is_recorded_for_each_setting():
    product = ts.compile(lambda a, b: a @ b)
    assert product(A, B).dtype == ts.float32
    with ts.autocast():
        assert product(A, B).dtype == ts.bfloat16
    assert product(A, B).dtype == ts.float32
    assert len(product.plans) == 2


@pytest.mark.parametrize("captured", [False, True])
def test_training_keeps_parameters_in_float32_and_learns(captured):
    ts.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("f4")
    y = x[:, :1] - 2 * x[:, 1:2]

    def step(x, y):
        optimizer.zero_grad()
        with ts.autocast():
            loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = ts.compile(step) if captured else step
    losses = [float(run(ts.asarray(x), ts.asarray(y))) for _ in range(80)]
    assert losses[-1] < losses[0] / 20
    assert {p.dtype for p in model.parameters()} == {ts.float32}


@pytest.mark.parametrize("dtype", [ts.float32, ts.int8, "float64"])
def test_only_narrow_dtypes_are_taken(dtype):
    with pytest.raises(DTypeError):
        ts.autocast(dtype)
