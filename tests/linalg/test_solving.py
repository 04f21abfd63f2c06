"""Systems, determinants, factors and powers: NumPy's; every one has a derivative (tests/test_gradients.py)."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(8)
LA = ts.linalg
SHAPES = [(1, 1), (4, 4), (2, 3, 5, 5), (0, 0), (0, 2, 2), (70, 70)]
DTYPES = ["float32", "float64"]


def matrices(shape, dtype):
    return (RNG.normal(size=shape) + 2 * np.sqrt(shape[-1] + 1) * np.eye(shape[-1])).astype(dtype)


def close(got, want, dtype):
    assert str(got.dtype) == dtype
    unit = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(np.asarray(got), want, rtol=unit, atol=unit)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_factors_and_determinants_are_numpys(shape, dtype):
    x = matrices(shape, dtype)
    t = ts.asarray(x)
    wide = x.astype("float64")
    close(LA.inv(t), np.linalg.inv(wide), dtype)
    want = np.linalg.slogdet(wide)
    close(LA.slogdet(t).sign, want.sign, dtype)
    close(LA.slogdet(t).logabsdet, want.logabsdet, dtype)
    if shape[-1] < 20:
        close(LA.det(t), np.linalg.det(wide), dtype)
    symmetric = wide @ np.swapaxes(wide, -1, -2)
    close(LA.cholesky(ts.asarray(symmetric.astype(dtype))), np.linalg.cholesky(symmetric), dtype)
    upper = LA.cholesky(ts.asarray(symmetric.astype(dtype)), upper=True)
    close(upper, np.swapaxes(np.linalg.cholesky(symmetric), -1, -2), dtype)


@pytest.mark.parametrize(
    ("left", "right"),
    [((4, 4), (4,)), ((2, 3, 4, 4), (4,)), ((4, 4), (4, 2)), ((3, 1, 4, 4), (2, 4, 5)), ((4, 4), (6, 4, 1))],
)
def test_solve_broadcasts(left, right):
    a, b = matrices(left, "float64"), RNG.normal(size=right)
    x = np.asarray(LA.solve(ts.asarray(a), ts.asarray(b)))
    if b.ndim == 1:
        assert x.shape == left[:-1]
        np.testing.assert_allclose((a @ x[..., None])[..., 0], np.broadcast_to(b, x.shape), rtol=1e-11)
    else:
        np.testing.assert_allclose(a @ x, np.broadcast_to(b, x.shape), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 7])
def test_powers_are_numpys(n):
    x = matrices((2, 3, 3), "float64")
    np.testing.assert_allclose(LA.matrix_power(ts.asarray(x), n), np.linalg.matrix_power(x, n), rtol=1e-11)


def test_a_singular_matrix_has_a_determinant_but_no_inverse():
    x = ts.ones((2, 2))
    assert LA.det(x).item() == 0
    sign, log = LA.slogdet(x)
    assert (sign.item(), log.item()) == (0, -np.inf)
    for function in (LA.inv, lambda x: LA.solve(x, x), lambda x: LA.matrix_power(x, -1)):
        with pytest.raises(ArgumentError, match=r"matrices that have an inverse; use linalg\.pinv"):
            function(x)
    with pytest.raises(ArgumentError, match="matrices that have an inverse"):
        ts.compile(LA.inv)(x)


def test_cholesky_wants_positive_definite_matrices():
    for x in ([[1.0, 2.0], [2.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]):
        with pytest.raises(ArgumentError, match="cholesky: expected positive definite matrices"):
            LA.cholesky(ts.asarray(x))


def test_gradients_of_symmetric_matrices_are_symmetric():
    x = ts.asarray([[4.0, 1.0], [1.0, 3.0]]).requires_grad_()
    LA.cholesky(x).sum().backward()
    np.testing.assert_allclose(x.grad, x.grad.mT)
    y = ts.asarray([[4.0, 1.0], [1.0, 3.0]]).requires_grad_()
    LA.slogdet(y).logabsdet.backward()
    np.testing.assert_allclose(y.grad, np.linalg.inv(np.asarray(y.detach())).T, rtol=1e-6)


def test_a_regression_trains_through_solve_in_a_compiled_step():
    a, b = matrices((3, 3), "float64"), RNG.normal(size=3)

    @ts.compile
    def slope(a, b):
        return ts.grad(lambda a: (LA.solve(a, b) ** 2).sum())(a)

    want = ts.grad(lambda a: (LA.solve(a, ts.asarray(b)) ** 2).sum())(ts.asarray(a))
    np.testing.assert_allclose(slope(ts.asarray(a), ts.asarray(b)), want, rtol=1e-13)


@pytest.mark.parametrize("name", ["cholesky", "det", "inv", "slogdet"])
def test_matrices_are_square(name):
    with pytest.raises(ShapeError, match=r"expected (square matrices|.*\[\.\.\., n, n\])"):
        getattr(LA, name)(ts.ones((2, 3)))
    with pytest.raises(ShapeError, match="matrices, that is at least two axes"):
        getattr(LA, name)(ts.ones(3))


def test_sizes_meet():
    with pytest.raises(ShapeError, match="solve"):
        LA.solve(ts.eye(3), ts.ones((2, 1)))
    with pytest.raises(ShapeError, match="at least one axis"):
        LA.solve(ts.eye(3), ts.asarray(1.0))
    with pytest.raises(ShapeError, match="matrix_power: expected square matrices"):
        LA.matrix_power(ts.ones((2, 3)), 2)
