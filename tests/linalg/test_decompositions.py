"""Orthogonal decompositions: what they must satisfy, against NumPy where the result is unique."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, GraphError, ShapeError

RNG = np.random.default_rng(6)
LA = ts.linalg
SHAPES = [(1, 1), (5, 5), (8, 3), (3, 8), (2, 3, 6, 4), (0, 4, 4), (4, 0), (0, 3), (90, 60)]
DTYPES = ["float32", "float64"]


def close(got, want, dtype, scale=1.0):
    unit = 2e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=unit * scale * max(1, np.abs(want).max(initial=0)))


def eye_like(x):
    return np.broadcast_to(np.eye(x.shape[-1]), x.shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(shape, mode, dtype):
    x = RNG.normal(size=shape).astype(dtype)
    q, r = (np.asarray(part) for part in LA.qr(ts.asarray(x), mode=mode))
    want = np.linalg.qr(x, mode=mode)
    assert (q.shape, r.shape) == (want.Q.shape, want.R.shape)
    close(q @ r, x, dtype, 4)
    close(np.swapaxes(q, -1, -2) @ q, eye_like(np.swapaxes(q, -1, -2) @ q), dtype, 4)
    assert (np.tril(r, -1) == 0).all()
    assert (np.diagonal(r, axis1=-2, axis2=-1) >= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_svd(shape, full, dtype):
    x = RNG.normal(size=shape).astype(dtype)
    u, s, vh = (np.asarray(part) for part in LA.svd(ts.asarray(x), full_matrices=full))
    want = np.linalg.svd(x, full_matrices=full)
    assert (u.shape, s.shape, vh.shape) == (want.U.shape, want.S.shape, want.Vh.shape)
    close(s, want.S, dtype, 4)
    k = s.shape[-1]
    close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, dtype, 8)
    close(np.swapaxes(u, -1, -2) @ u, eye_like(np.swapaxes(u, -1, -2) @ u), dtype, 8)
    close(vh @ np.swapaxes(vh, -1, -2), eye_like(vh @ np.swapaxes(vh, -1, -2)), dtype, 8)
    close(LA.svdvals(ts.asarray(x)), want.S, dtype, 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (6, 6), (2, 3, 4, 4), (0, 0), (0, 3, 3), (80, 80)])
def test_eigh(shape, dtype):
    x = RNG.normal(size=shape).astype(dtype)
    symmetric = np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)
    w, v = (np.asarray(part) for part in LA.eigh(ts.asarray(x)))
    close(w, np.linalg.eigvalsh(symmetric) if x.size else w, dtype, 8)
    close((v * w[..., None, :]) @ np.swapaxes(v, -1, -2), symmetric, dtype, 16)
    close(LA.eigvalsh(ts.asarray(x)), w, dtype)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_sizes_far_from_one_keep_their_digits(scale):
    x = RNG.normal(size=(6, 6))
    x = x + x.T
    np.testing.assert_allclose(LA.svdvals(ts.asarray(scale * x)), scale * np.linalg.svdvals(x), rtol=1e-12)
    np.testing.assert_allclose(LA.eigvalsh(ts.asarray(scale * x)), scale * np.linalg.eigvalsh(x), rtol=1e-10)


def test_matrices_without_full_rank():
    x = np.outer([1.0, 2.0, 2.0], [3.0, 4.0])
    u, s, vh = (np.asarray(part) for part in LA.svd(ts.asarray(np.stack([x, np.zeros((3, 2))]))))
    np.testing.assert_allclose(s, [[15.0, 0.0], [0.0, 0.0]], atol=1e-14)
    np.testing.assert_allclose(np.swapaxes(u, -1, -2) @ u, np.broadcast_to(np.eye(3), u.shape), atol=1e-14)
    np.testing.assert_allclose(vh @ np.swapaxes(vh, -1, -2), np.broadcast_to(np.eye(2), vh.shape), atol=1e-14)


def test_vectors_point_the_same_way_in_every_run():
    x = RNG.normal(size=(5, 5))
    for vectors in (LA.svd(ts.asarray(x)).U, LA.eigh(ts.asarray(x)).eigenvectors):
        columns = np.asarray(vectors).T
        assert all(column[np.abs(column).argmax()] > 0 for column in columns)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rank_and_pseudo_inverse_are_numpys(dtype):
    x = RNG.normal(size=(3, 6, 4)).astype(dtype)
    x[1, :, 2] = x[1, :, 0]
    x[2] = 0
    t = ts.asarray(x)
    assert LA.matrix_rank(t).tolist() == [4, 3, 0]
    close(LA.pinv(t), np.linalg.pinv(x, rcond=6 * np.finfo(dtype).eps), dtype, 32)
    assert LA.matrix_rank(t, rtol=10.0).tolist() == [0, 0, 0]
    assert LA.matrix_rank(t, rtol=ts.asarray([10.0, 1e-3, 1e-3])).tolist() == [0, 3, 0]
    assert LA.matrix_rank(ts.zeros((2, 3, 0))).tolist() == [0, 0]
    assert LA.pinv(ts.zeros((3, 0))).shape == (0, 3)


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "qr", "svd", "svdvals", "pinv", "matrix_rank"])
def test_there_is_no_derivative(name):
    with pytest.raises(GraphError, match="an op with a derivative"):
        getattr(LA, name)(ts.eye(3).requires_grad_())
    with ts.no_grad():
        getattr(LA, name)(ts.eye(3).requires_grad_())


def test_decompositions_inside_a_compiled_function():
    x = RNG.normal(size=(4, 3))
    got = ts.compile(lambda x: (*LA.svd(x), *LA.qr(x), *LA.eigh(x.mT @ x)))(ts.asarray(x))
    want = (*LA.svd(ts.asarray(x)), *LA.qr(ts.asarray(x)), *LA.eigh(ts.asarray(x).mT @ ts.asarray(x)))
    assert [part.tolist() for part in got] == [part.tolist() for part in want]


def test_errors():
    with pytest.raises(ShapeError, match="svd: expected matrices, that is at least two axes"):
        LA.svd(ts.ones(3))
    with pytest.raises(ShapeError, match="eigh: expected square matrices"):
        LA.eigh(ts.ones((2, 3)))
    with pytest.raises(DTypeError, match="qr: expected a float32 or float64 tensor"):
        LA.qr(ts.ones((2, 2), dtype=ts.float16))
    with pytest.raises(ArgumentError, match="mode reduced or complete"):
        LA.qr(ts.eye(2), mode="raw")


def test_below_the_diagonal_zeros_are_positive():
    r = np.asarray(LA.qr(ts.asarray([[3.0, 3.0], [3.0, 3.0]])).R)
    assert not np.signbit(r).any()
