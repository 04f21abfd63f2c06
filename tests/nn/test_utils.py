"""Clipping, and parameters as one vector."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, NonFiniteError, ShapeError


def with_grads(*grads, dtype="float64"):
    params = []
    for grad in grads:
        params.append(nn.Parameter(ts.zeros(np.shape(grad), dtype=getattr(ts, dtype))))
        params[-1].grad = ts.asarray(np.asarray(grad, dtype))
    return params


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, math.inf])
def test_norms_of_any_order(order):
    grads = np.array([3.0, -4.0]), np.array([[12.0]])
    want = np.linalg.norm(np.concatenate([g.ravel() for g in grads]), order)
    params = with_grads(*grads)
    norm = nn.utils.clip_grad_norm_(params, want / 2, norm_type=order)
    assert float(norm) == pytest.approx(want)
    for param, grad in zip(params, grads):
        np.testing.assert_allclose(param.grad.numpy(), grad / 2, rtol=1e-6)


def test_small_gradients_stay_as_they_are():
    params = with_grads([0.3, 0.4])
    nn.utils.clip_grad_norm_(params, 1.0)
    assert params[0].grad.tolist() == [0.3, 0.4]


@pytest.mark.parametrize("order", [2.0, 3.0])
def test_large_gradients_do_not_overflow(order):
    params = with_grads([3e30, 4e30], dtype="float32")
    norm = nn.utils.clip_grad_norm_(params, 1.0, norm_type=order)
    assert math.isfinite(float(norm))
    np.testing.assert_allclose(np.linalg.norm(params[0].grad.numpy(), order), 1.0, rtol=1e-5)


def test_a_square_beyond_single_precision_does_not_make_the_gradient_zero():
    (param,) = params = with_grads([1e20], dtype="float32")
    assert float(nn.utils.clip_grad_norm_(params, 1.0)) == pytest.approx(1e20)
    np.testing.assert_allclose(param.grad.numpy(), [1.0], rtol=1e-6)


@pytest.mark.parametrize("order", [1.5, 2.0, math.inf])
def test_gradients_of_mixed_dtypes_are_measured_in_the_widest(order):
    dtypes = (ts.float16, ts.bfloat16, ts.float32, ts.float64)
    params = [nn.Parameter(ts.zeros(1, dtype=dtype)) for dtype in dtypes]
    for param in params:
        param.grad = ts.full((1,), 1024.0, dtype=param.dtype)
    norm = nn.utils.clip_grad_norm_(params, 1.0, norm_type=order)
    assert norm.dtype == ts.float64
    assert float(norm) == pytest.approx(1024 * 4 ** (1 / order), rel=1e-12)
    for param, dtype in zip(params, dtypes):
        assert param.grad.dtype == dtype
        np.testing.assert_allclose(float(param.grad), 4 ** (-1 / order), rtol=1e-2)
    half = nn.utils.clip_grad_norm_(params[:1], 1.0, norm_type=order)
    assert half.dtype == ts.float32


def test_gradients_without_elements_count_nothing():
    params = with_grads(np.zeros((0, 3)), [6.0, 8.0])
    for order in (2.0, math.inf):
        assert float(nn.utils.clip_grad_norm_(params, 100.0, norm_type=order)) == {2.0: 10.0, math.inf: 8.0}[order]


def test_the_norm_of_an_infinite_gradient_is_infinite():
    for order in (1.0, 2.0, math.inf):
        assert float(nn.utils.clip_grad_norm_(with_grads([1.0, math.inf]), 1.0, norm_type=order)) == math.inf


def test_parameters_without_gradient_are_skipped():
    params = [nn.Parameter(ts.ones(2)), *with_grads([6.0, 8.0])]
    assert float(nn.utils.clip_grad_norm_(params, 1.0)) == 10.0
    assert params[0].grad is None
    assert float(nn.utils.clip_grad_norm_(params[:1], 1.0)) == 0.0


def test_one_parameter_may_stand_alone():
    (param,) = with_grads([6.0, 8.0])
    assert float(nn.utils.clip_grad_norm_(param, 1.0)) == 10.0
    nn.utils.clip_grad_value_(param, 0.5)
    assert param.grad.tolist() == [0.5, 0.5]


def test_zero_gradients_stay_zero():
    for order in (2.0, 3.0, math.inf):
        params = with_grads([0.0, 0.0])
        assert float(nn.utils.clip_grad_norm_(params, 1.0, norm_type=order)) == 0.0
        assert params[0].grad.tolist() == [0.0, 0.0]


def test_a_norm_that_is_not_finite_is_refused_where_asked():
    params = with_grads([1.0, math.nan])
    with pytest.raises(NonFiniteError, match="a finite norm"):
        nn.utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert params[0].grad.tolist()[0] == 1.0


def test_values_are_limited():
    params = with_grads([3.0, -0.2, -7.0])
    nn.utils.clip_grad_value_(params, 1.0)
    assert params[0].grad.tolist() == [1.0, -0.2, -1.0]


def test_bounds_are_checked():
    with pytest.raises(ArgumentError, match="max_norm"):
        nn.utils.clip_grad_norm_([], -1.0)
    with pytest.raises(ArgumentError, match="norm_type"):
        nn.utils.clip_grad_norm_([], 1.0, norm_type=0)
    with pytest.raises(ArgumentError, match="clip_value"):
        nn.utils.clip_grad_value_([], -1.0)


def test_clipping_works_in_captured_steps():
    def make():
        ts.manual_seed(0)
        return nn.Linear(3, 1, dtype=ts.float64)

    def gradients(model, norm_type, x):
        model.zero_grad()
        (model(x) ** 2).sum().backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1, norm_type=norm_type)
        nn.utils.clip_grad_value_(model.parameters(), 0.05)
        return norm

    x = ts.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    for order in (2.0, 1.0, math.inf):
        eager, captured = make(), make()
        step = ts.compile(lambda x, model=captured, order=order: gradients(model, order, x))
        for _ in range(2):
            assert float(step(x)) == pytest.approx(float(gradients(eager, order, x)), rel=1e-12)
            for one, two in zip(eager.parameters(), captured.parameters()):
                np.testing.assert_allclose(two.grad.numpy(), one.grad.numpy(), rtol=1e-12)


def test_parameters_as_a_vector_and_back():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = nn.utils.parameters_to_vector(model.parameters())
    want = np.concatenate([param.numpy().ravel() for param in model.parameters()])
    np.testing.assert_array_equal(vector.detach().numpy(), want)
    twin = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    nn.utils.vector_to_parameters(vector, twin.parameters())
    for one, two in zip(model.parameters(), twin.parameters()):
        assert one.tolist() == two.tolist()
    vector.sum().backward()
    assert model[0].bias.grad.tolist() == [1.0] * 3


def test_vectors_must_fit():
    with pytest.raises(ArgumentError, match="at least one parameter"):
        nn.utils.parameters_to_vector([])
    with pytest.raises(ShapeError, match=r"a vector of shape \(3,\)"):
        nn.utils.vector_to_parameters(ts.ones(4), nn.Linear(2, 1).parameters())
