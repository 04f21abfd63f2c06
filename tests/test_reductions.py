"""Reductions and running folds against NumPy, over dtypes, axes, empty and 0-d tensors."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, IndexRangeError

AXES = [
    ((3, 4, 2), None),
    ((3, 4, 2), 0),
    ((3, 4, 2), 1),
    ((3, 4, 2), -1),
    ((3, 4, 2), (0, 2)),
    ((3, 4, 2), (-1, 0)),
    ((3, 4, 2), ()),
    ((), None),
    ((5,), 0),
    ((1, 1), (0, 1)),
]
FLOATS = {"float16": 4e-3, "float32": 3e-6, "float64": 1e-13}
NUMPY = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "all": np.all,
    "any": np.any,
    "count_nonzero": np.count_nonzero,
    "logsumexp": lambda x, axis=None, keepdims=False: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
}


def draw(shape, dtype="float64"):
    return np.random.default_rng(0).uniform(-2, 2, shape).astype(dtype)


def close(got, want, rtol, dtype=None):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert got.dtype == (dtype or want.dtype)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), AXES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", NUMPY)
def test_reduction_is_numpys(name, dtype, shape, axis, keepdims):
    x = draw(shape, dtype)
    wide = NUMPY[name](x.astype("float64"), axis=axis, keepdims=keepdims)
    kind = {"all": "bool", "any": "bool", "count_nonzero": "int64"}.get(name, dtype)
    got = getattr(ts, name)(ts.asarray(x), axis=axis, keepdims=keepdims)
    close(got, wide, 4 * FLOATS[dtype], kind)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "all", "any", "count_nonzero"])
def test_integer_reduction_is_numpys(name, dtype):
    x = np.array([[1, 2, 0], [3, 100, 1]]).astype(dtype)
    wide = {"sum": "uint64" if dtype[0] == "u" else "int64"}
    wide |= {"prod": wide["sum"], "all": "bool", "any": "bool", "count_nonzero": "int64"}
    for axis in (None, 0, 1):
        close(getattr(ts, name)(ts.asarray(x), axis=axis), NUMPY[name](x, axis=axis), 0, wide.get(name, dtype))


@pytest.mark.parametrize("name", ["mean", "var", "std", "logsumexp"])
def test_statistics_of_integers_are_float32(name):
    x = np.array([[1, 2], [3, 5]])
    close(getattr(ts, name)(ts.asarray(x), axis=0), NUMPY[name](x.astype("float64"), axis=0), 1e-6, "float32")


@pytest.mark.parametrize("correction", [0, 1, 0.5])
def test_correction_is_taken_from_the_count(correction):
    x = draw((5, 3))
    close(ts.var(ts.asarray(x), axis=0, correction=correction), x.var(axis=0, ddof=correction), 1e-12)
    close(ts.std(ts.asarray(x), axis=1, correction=correction), x.std(axis=1, ddof=correction), 1e-12)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize(("shape", "axis"), [(s, a) for s, a in AXES if not isinstance(a, tuple)])
def test_position_is_numpys(name, shape, axis):
    x = draw(shape)
    for keepdims in (False, True):
        want = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        close(getattr(ts, name)(ts.asarray(x), axis=axis, keepdims=keepdims), want, 0, "int64")


def test_first_of_equal_elements_is_chosen():
    x = ts.asarray([[1, 3, 3], [2, 2, 2]])
    assert ts.argmax(x, axis=1).tolist() == [1, 0]
    assert ts.argmin(x, axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "want"), [("sum", 0.0), ("prod", 1.0), ("all", True), ("any", False), ("count_nonzero", 0)]
)
def test_no_elements_give_the_neutral_one(name, want):
    assert getattr(ts, name)(ts.zeros((0,))).item() == want
    assert getattr(ts, name)(ts.zeros((2, 0)), axis=1).tolist() == [want, want]


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_mean_of_no_elements_is_nan(name):
    assert np.isnan(float(getattr(ts, name)(ts.zeros((0,)))))


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_no_elements_have_no_extreme(name):
    with pytest.raises(ArgumentError, match=rf"{name}: expected .*at least one element"):
        getattr(ts, name)(ts.zeros((0,)))


@pytest.mark.parametrize("name", ["max", "min", "sum", "prod", "mean", "logsumexp"])
def test_nan_is_not_lost(name):
    assert np.isnan(float(getattr(ts, name)(ts.asarray([1.0, ts.nan, 2.0]))))


def test_logsumexp_of_infinities():
    assert float(ts.logsumexp(ts.asarray([-ts.inf, -ts.inf]))) == -ts.inf
    assert float(ts.logsumexp(ts.asarray([ts.inf, 0.0]))) == ts.inf
    assert float(ts.logsumexp(ts.asarray([-ts.inf, 0.0]))) == 0.0


def test_sum_takes_a_dtype():
    x = np.full(1000, 0.1, "float32")
    assert ts.sum(ts.asarray(x), dtype=ts.float64).dtype == ts.float64
    assert float(ts.sum(ts.asarray(x), dtype=ts.float64)) == pytest.approx(x.astype("float64").sum(), rel=1e-15)
    assert ts.sum(ts.asarray([True, True]), dtype=ts.int8).dtype == ts.int8


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool"])
@pytest.mark.parametrize(("name", "numpys"), [("cumulative_sum", np.cumsum), ("cumulative_prod", np.cumprod)])
@pytest.mark.parametrize(
    ("shape", "axis"), [((4,), None), ((3, 4), 0), ((3, 4), 1), ((3, 4), -1), ((2, 0), 1), ((0,), 0)]
)
def test_running_fold_is_numpys(name, numpys, dtype, shape, axis):
    x = (draw(shape) * 3).astype(dtype)
    kind = dtype if dtype[0] == "f" else "uint64" if dtype[0] == "u" else "int64"
    want = numpys(x.astype("float64" if dtype[0] == "f" else kind), axis=axis)
    close(getattr(ts, name)(ts.asarray(x), axis=axis), want, 1e-5, kind)
    first = getattr(ts, name)(ts.asarray(x), axis=axis, include_initial=True)
    place = 0 if axis is None else axis
    start = np.full([1 if a == place % len(shape) else s for a, s in enumerate(shape)], float(name.endswith("prod")))
    close(first, np.concatenate([start, want], axis=place), 1e-5, kind)


def test_running_fold_of_several_axes_needs_one():
    with pytest.raises(ArgumentError, match="axis, for a tensor with 2 axes"):
        ts.cumulative_sum(ts.ones((2, 2)))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_diff_is_numpys(n, axis):
    x = draw((3, 4))
    close(ts.diff(ts.asarray(x), n=n, axis=axis), np.diff(x, n=n, axis=axis), 1e-12)


def test_diff_takes_what_comes_before_and_after():
    x, row = draw((3, 4)), draw((1, 4))
    want = np.diff(x, axis=0, prepend=row, append=row)
    close(ts.diff(ts.asarray(x), axis=0, prepend=ts.asarray(row), append=ts.asarray(row)), want, 1e-12)
    flags = np.array([True, True, False])
    assert ts.diff(ts.asarray(flags)).tolist() == np.diff(flags).tolist()


def test_diff_of_a_0d_tensor_is_refused():
    with pytest.raises(IndexRangeError, match="expected an axis"):
        ts.diff(ts.asarray(1.0))


@pytest.mark.parametrize("name", [*NUMPY, "argmax", "cumulative_sum"])
def test_axis_out_of_range_is_refused(name):
    with pytest.raises(IndexRangeError, match=r"expected an axis in \[-2, 2\).*got 2"):
        getattr(ts, name)(ts.ones((2, 2)), axis=2)


@pytest.mark.parametrize("name", NUMPY)
def test_axis_named_twice_is_refused(name):
    with pytest.raises(ArgumentError, match="each axis at most once"):
        getattr(ts, name)(ts.ones((2, 2)), axis=(0, -2))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "argmax", "var", "cumulative_sum", "diff"])
def test_method_and_function_agree(name):
    x = ts.asarray(draw((5,)))
    assert getattr(x, name)().tolist() == getattr(ts, name)(x).tolist()


def test_position_of_the_first_truth():
    assert int(ts.argmax(ts.asarray([False, True, True]))) == 1
