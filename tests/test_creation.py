"""Tensors from nothing against NumPy."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
]
SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 1)]


def same(got, want):
    got = np.asarray(got)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_constants_are_numpys(dtype, shape):
    ours = getattr(ts, dtype)
    same(ts.zeros(shape, dtype=ours), np.zeros(shape, dtype))
    same(ts.ones(shape, dtype=ours), np.ones(shape, dtype))
    same(ts.full(shape, 1, dtype=ours), np.ones(shape, dtype))
    assert ts.empty(shape, dtype=ours).shape == shape
    like = ts.zeros(shape, dtype=ours)
    same(ts.ones_like(like), np.ones(shape, dtype))
    same(ts.zeros_like(like), np.zeros(shape, dtype))
    same(ts.full_like(like, 1), np.ones(shape, dtype))
    assert ts.empty_like(like).dtype == ours


@pytest.mark.parametrize(("value", "dtype"), [(True, ts.bool), (7, ts.int64), (0.5, ts.float32)])
def test_full_takes_the_dtype_of_its_number(value, dtype):
    assert ts.full((2,), value).dtype == dtype
    assert ts.full((2,), value).tolist() == [value, value]


def test_full_takes_a_0d_tensor():
    assert ts.full((2,), ts.asarray(3, dtype=ts.int8)).dtype == ts.int8
    with pytest.raises(ShapeError, match="full: expected a number or a 0-d tensor"):
        ts.full((2,), ts.ones(2))


def test_default_is_float32():
    assert ts.zeros(2).dtype == ts.ones(2).dtype == ts.empty(2).dtype == ts.eye(2).dtype == ts.float32
    assert ts.linspace(0, 1, 3).dtype == ts.float32


def test_one_integer_is_one_axis():
    assert ts.zeros(3).shape == ts.ones(3).shape == ts.full(3, 0).shape == ts.empty(3).shape == (3,)


@pytest.mark.parametrize(
    "bounds", [(5,), (2, 5), (0, 10, 3), (10, 0, -3), (5, 2), (0,), (0.5, 3), (0, 1, 0.25), (1.0, -1.0, -0.5), (-3, 3)]
)
def test_arange_is_numpys(bounds):
    want = np.arange(*bounds)
    same(ts.arange(*bounds), want.astype("float32" if want.dtype.kind == "f" else "int64"))
    for dtype in ("float64", "int32"):
        same(ts.arange(*bounds, dtype=getattr(ts, dtype)), want.astype(dtype))


def test_arange_needs_a_step():
    with pytest.raises(ArgumentError, match="arange: expected finite bounds and a step other than 0"):
        ts.arange(0, 3, 0)


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 7])
def test_linspace_is_numpys(num, endpoint):
    want = np.linspace(-1, 2, num, endpoint=endpoint)
    same(ts.linspace(-1, 2, num, dtype=ts.float64, endpoint=endpoint), want)


@pytest.mark.parametrize("k", [-3, -1, 0, 1, 4, 9])
@pytest.mark.parametrize(("rows", "columns"), [(3, None), (2, 4), (4, 2), (0, 3)])
def test_eye_is_numpys(rows, columns, k):
    same(ts.eye(rows, columns, k=k, dtype=ts.int32), np.eye(rows, columns, k=k, dtype="int32"))


def test_diagonal_far_off_is_empty():
    assert not ts.any(ts.eye(3, k=2**63))
    assert not ts.any(ts.tril(ts.ones((3, 3)), k=-(2**70)))


@pytest.mark.parametrize("make", [ts.zeros, ts.ones, ts.empty, ts.rand, ts.randn, lambda s: ts.full(s, 1)])
def test_negative_size_is_refused(make):
    with pytest.raises(ArgumentError, match="negative"):
        make((-1,))


def test_number_that_its_dtype_cannot_hold_is_refused():
    with pytest.raises(ArgumentError, match=r"expected integers in \[-128, 127\] for int8.*got 200"):
        ts.full((2,), 200, dtype=ts.int8)
    with pytest.raises(ArgumentError, match="uint8"):
        ts.full_like(ts.zeros(2, dtype=ts.uint8), -1)
    with pytest.raises(ArgumentError, match="linspace: expected num"):
        ts.linspace(0, 1, -1)


def test_dtype_is_named_by_object_text_or_numpy():
    for name in ("float64", np.dtype("float64"), np.float64, ts.float64):
        assert ts.zeros(1, dtype=name).dtype == ts.float64
    for wrong in ("float65", float, 3, complex):
        with pytest.raises(DTypeError, match="dtype: expected a dtype"):
            ts.zeros(1, dtype=wrong)


def test_constants_of_the_standard():
    assert (ts.pi, ts.e, ts.inf) == (np.pi, np.e, np.inf)
    assert np.isnan(ts.nan)
    assert ts.newaxis is None
