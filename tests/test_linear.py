"""Products of vectors and matrices against NumPy."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import DTypeError, IndexRangeError, ShapeError

SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((2, 0), (0, 3)),
    ((1, 0), (0, 3)),
    ((3, 1, 0), (3, 0, 2)),
    ((0, 2), (2, 3)),
    ((1, 1), (1, 1)),
    ((3,), (4, 3, 2)),
]


def draw(shape, dtype="float64", seed=0):
    return (np.random.default_rng(seed).uniform(-3, 3, shape)).astype(dtype)


def close(got, want, rtol=1e-12):
    got = np.asarray(got)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_matmul_is_numpys(shapes, dtype):
    a, b = draw(shapes[0], dtype), draw(shapes[1], dtype, 1)
    rtol = 1e-5 if dtype == "float32" else 1e-12
    close(ts.matmul(ts.asarray(a), ts.asarray(b)), np.matmul(a, b), rtol)
    close(ts.asarray(a) @ ts.asarray(b), np.matmul(a, b), rtol)


@pytest.mark.parametrize("shape", [(3, 1, 0), (1, 0), (2, 0)])
def test_matmul_over_nothing_with_a_transposed_operand_is_zero(shape):
    left, right = ts.ones(shape), ts.ones((*shape[:-2], 2, 0))
    assert not ts.any(left @ right.mT)
    assert (left @ right.mT).shape == (*shape[:-1], 2)


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
def test_matmul_of_transposed_operands(transposed):
    a = draw((4, 3) if transposed[0] else (3, 4))
    b = draw((5, 4) if transposed[1] else (4, 5), seed=1)
    left, right = (x.T if t else x for x, t in zip((a, b), transposed))
    ours = [ts.asarray(x).T if t else ts.asarray(x) for x, t in zip((a, b), transposed)]
    close(ts.matmul(*ours), left @ right)


def test_array_on_either_side_of_a_product():
    a, b = draw((2, 3)), draw((3, 2))
    close(a @ ts.asarray(b), a @ b)
    close(ts.asarray(a) @ b, a @ b)


@pytest.mark.parametrize("axes", [0, 1, 2, ((1, 2), (0, 1)), ((2, 0), (1, 2)), ((-1,), (1,)), ((), ())])
def test_tensordot_is_numpys(axes):
    a = draw((2, 3, 4))
    b = {0: draw((5,)), 1: draw((4, 5))}.get(axes if isinstance(axes, int) else -1)
    if b is None:
        b = draw((3, 4, 2))
    close(ts.tensordot(ts.asarray(a), ts.asarray(b), axes=axes), np.tensordot(a, b, axes))


@pytest.mark.parametrize(
    ("shapes", "axis"), [(((3,), (3,)), -1), (((2, 3), (3,)), -1), (((3, 2, 4), (3, 1, 4)), -3), (((0,), (0,)), -1)]
)
def test_vecdot_is_a_sum_of_products(shapes, axis):
    a, b = draw(shapes[0]), draw(shapes[1], seed=1)
    left, right = np.broadcast_arrays(np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1))
    close(ts.vecdot(ts.asarray(a), ts.asarray(b), axis=axis), np.asarray((left * right).sum(-1)))


def test_products_promote_dtypes():
    assert ts.matmul(ts.ones((2, 2), dtype=ts.float32), ts.ones((2, 2), dtype=ts.float64)).dtype == ts.float64
    assert ts.tensordot(ts.ones((2, 2)), ts.ones((2, 2), dtype=ts.int8)).dtype == ts.float32


@pytest.mark.parametrize(("a", "b"), [((), (2,)), ((2, 3), (2, 3)), ((2, 2, 3), (3, 3, 2)), ((3,), (2,))])
def test_matmul_of_shapes_that_do_not_meet_is_refused(a, b):
    with pytest.raises(ShapeError, match=r"expected .*, got "):
        ts.matmul(ts.ones(a), ts.ones(b))


def test_other_products_that_do_not_meet_are_refused():
    with pytest.raises(ShapeError, match=r"tensordot: expected axes of equal sizes"):
        ts.tensordot(ts.ones((2, 3)), ts.ones((4, 5)), axes=1)
    with pytest.raises(IndexRangeError, match="tensordot: expected different axes"):
        ts.tensordot(ts.ones((2, 3)), ts.ones((3, 2)), axes=((0, 0), (0, 1)))
    with pytest.raises(IndexRangeError, match="tensordot: expected"):
        ts.tensordot(ts.ones(2), ts.ones(2), axes=2)
    with pytest.raises(IndexRangeError, match="vecdot: expected an axis"):
        ts.vecdot(ts.ones(2), ts.ones(2), axis=0)
    with pytest.raises(ShapeError, match="vecdot: expected vectors of one length"):
        ts.vecdot(ts.ones(2), ts.ones(3))
    with pytest.raises(DTypeError, match="matmul: expected"):
        ts.matmul(ts.asarray([[True]]), ts.asarray([[True]]))
