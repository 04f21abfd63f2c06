"""Norms, outer and cross products, diagonals: NumPy's."""

from math import inf

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, GraphError, IndexRangeError, ShapeError

RNG = np.random.default_rng(9)
LA = ts.linalg


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", [2, 1, 0, 3, 0.5, -1, -2, inf, -inf])
@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_vector_norm_is_numpys(axis, ord, keepdims):
    x = RNG.normal(size=(3, 4, 2))
    got = LA.vector_norm(ts.asarray(x), axis=axis, ord=ord, keepdims=keepdims)
    want = np.linalg.vector_norm(x, axis=axis, ord=ord, keepdims=keepdims)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, inf, -inf])
def test_matrix_norm_is_numpys(ord, keepdims):
    x = RNG.normal(size=(3, 4, 2))
    got = LA.matrix_norm(ts.asarray(x), ord=ord, keepdims=keepdims)
    want = np.linalg.matrix_norm(x, ord=ord, keepdims=keepdims)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_the_zero_vector_has_a_gradient():
    x = ts.zeros((2, 3)).requires_grad_()
    LA.vector_norm(x, axis=1).sum().backward()
    assert x.grad.tolist() == [[0.0] * 3] * 2


def test_integers_have_a_length():
    assert LA.vector_norm(ts.asarray([3, 4])).item() == 5
    assert LA.matrix_norm(ts.asarray([[3, 4]])).dtype == ts.float32


@pytest.mark.parametrize("offset", [-5, -2, -1, 0, 1, 3, 4, 6])
@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3), (0, 2), (2, 0)])
def test_diagonals_are_numpys(shape, offset):
    x = RNG.integers(0, 9, shape)
    t = ts.asarray(x)
    assert LA.diagonal(t, offset=offset).tolist() == np.linalg.diagonal(x, offset=offset).tolist()
    assert LA.trace(t, offset=offset).tolist() == np.linalg.trace(x, offset=offset).tolist()


def test_trace_adds_in_the_dtype_asked_for():
    assert LA.trace(ts.ones((3, 3), dtype=ts.int8)).dtype == ts.int64
    assert LA.trace(ts.ones((3, 3), dtype=ts.int8), dtype=ts.int8).dtype == ts.int8


def test_products_are_numpys():
    a, b = RNG.normal(size=(2, 1, 3)), RNG.normal(size=(4, 3))
    np.testing.assert_allclose(LA.cross(ts.asarray(a), ts.asarray(b)), np.cross(a, b), rtol=1e-13)
    c = RNG.normal(size=(3, 4))
    np.testing.assert_allclose(LA.cross(ts.asarray(c), ts.asarray(c[::-1]), axis=0), np.cross(c, c[::-1], axis=0))
    x, y = RNG.normal(size=4), RNG.normal(size=3)
    np.testing.assert_allclose(LA.outer(ts.asarray(x), ts.asarray(y)), np.outer(x, y))


def test_functions_of_the_top_level_are_the_same():
    for name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        assert getattr(LA, name) is getattr(ts, name)


def test_errors():
    with pytest.raises(ArgumentError, match="matrix_norm: expected ord fro"):
        LA.matrix_norm(ts.eye(2), ord=3)
    with pytest.raises(ShapeError, match="matrix_norm: expected matrices"):
        LA.matrix_norm(ts.ones(2))
    with pytest.raises(GraphError, match="an op with a derivative"):
        LA.matrix_norm(ts.eye(2).requires_grad_(), ord="nuc")
    with pytest.raises(ShapeError, match="vectors of size 3"):
        LA.cross(ts.ones(2), ts.ones(2))
    with pytest.raises(IndexRangeError, match="cross"):
        LA.cross(ts.ones((2, 3)), ts.ones(3), axis=-2)
    with pytest.raises(ShapeError, match="outer: expected two vectors"):
        LA.outer(ts.ones((2, 2)), ts.ones(2))
    with pytest.raises(ShapeError, match="diagonal: expected matrices"):
        LA.diagonal(ts.ones(3))
