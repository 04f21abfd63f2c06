"""Sorting, the largest elements, places in a sorted line: NumPy's results, stable, NaN last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, GraphError, IndexRangeError, ShapeError

DTYPES = ["bool", "int8", "int64", "uint8", "uint64", "float16", "float32", "float64"]
RNG = np.random.default_rng(3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sort_is_numpys(dtype, axis):
    x = RNG.integers(0, 5, (4, 6, 5)).astype(dtype)
    t = ts.asarray(x)
    assert np.array_equal(ts.sort(t, axis=axis), np.sort(x, axis=axis))
    assert np.array_equal(ts.argsort(t, axis=axis), np.argsort(x, axis=axis, kind="stable"))
    assert ts.sort(t, axis=axis).dtype == t.dtype
    assert ts.argsort(t, axis=axis).dtype == ts.int64


@given(st.lists(st.floats(width=32), max_size=30), st.booleans())
def test_positions_are_stable_both_ways_and_nan_is_the_largest(numbers, descending):
    def rank(i):
        x = numbers[i]
        key = (1, 0.0) if x != x else (0, x)
        return (-key[0], -key[1]) if descending else key

    wanted = sorted(range(len(numbers)), key=rank)
    t = ts.asarray(np.array(numbers, np.float32))
    assert ts.argsort(t, descending=descending).tolist() == wanted
    picked = np.array(numbers, np.float32)[wanted]
    np.testing.assert_array_equal(np.asarray(ts.sort(t, descending=descending)), picked)


def test_sorting_works_inside_a_compiled_function():
    x = RNG.normal(size=(5, 7))

    @ts.compile
    def step(x):
        return ts.sort(x, axis=0), ts.argsort(x), ts.topk(x, 2).values, ts.searchsorted(ts.sort(x[0]), x)

    for _ in range(2):
        ordered, positions, largest, places = step(ts.asarray(x))
        assert np.array_equal(ordered, np.sort(x, 0))
        assert np.array_equal(positions, np.argsort(x, -1))
        assert np.array_equal(largest, np.sort(x, -1)[:, :-3:-1])
        assert np.array_equal(places, np.searchsorted(np.sort(x[0]), x))


def test_the_gradient_goes_back_to_where_elements_came_from():
    x = ts.asarray([[3.0, 1.0, 2.0]]).requires_grad_()
    (ts.sort(x) * ts.asarray([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [[100.0, 1.0, 10.0]]


@pytest.mark.parametrize("largest", [True, False])
def test_topk_is_the_start_of_the_order(largest):
    x = ts.asarray(RNG.integers(0, 9, (3, 8)))
    for k in (0, 3, 8):
        values, indices = ts.topk(x, k, axis=1, largest=largest)
        assert values.tolist() == ts.sort(x, axis=1, descending=largest)[:, :k].tolist()
        assert indices.tolist() == ts.argsort(x, axis=1, descending=largest)[:, :k].tolist()


@pytest.mark.parametrize("k", [-1, 4])
def test_topk_wants_as_many_as_there_are(k):
    with pytest.raises(ArgumentError, match=r"topk: expected k in \[0, 3\], the size of axis 0"):
        ts.topk(ts.ones(3), k)


@given(
    st.lists(st.integers(-5, 5), max_size=12),
    st.lists(st.integers(-6, 6), max_size=12),
    st.sampled_from(["left", "right"]),
)
def test_searchsorted_is_numpys(line, values, side):
    line, values = np.array(line, np.int64), np.array(values, np.int64)
    order = np.argsort(line)
    got = ts.searchsorted(ts.asarray(line), ts.asarray(values), side=side, sorter=ts.asarray(order))
    assert got.dtype == ts.int64
    assert np.array_equal(got, np.searchsorted(line, values, side, order))


def test_searchsorted_with_nan_and_mixed_dtypes():
    line = np.array([1.0, 3.0, np.nan, np.nan])
    for side in ("left", "right"):
        values = np.array([[np.nan, 2.0], [3.0, 9.0]])
        got = ts.searchsorted(ts.asarray(line), ts.asarray(values), side=side)
        assert np.array_equal(got, np.searchsorted(line, values, side))
    assert ts.searchsorted(ts.asarray([1, 4]), ts.asarray(2.5)).item() == 1


def test_errors():
    with pytest.raises(IndexRangeError, match=r"sort: expected an axis in \[-1, 1\)"):
        ts.sort(ts.ones(3), axis=1)
    with pytest.raises(ShapeError, match="searchsorted: expected a sorted line, that is one axis"):
        ts.searchsorted(ts.ones((2, 2)), ts.ones(2))
    with pytest.raises(ArgumentError, match="side left or right"):
        ts.searchsorted(ts.ones(2), ts.ones(2), side="middle")
    with pytest.raises(DTypeError, match="a sorter of integers"):
        ts.searchsorted(ts.ones(2), ts.ones(2), sorter=ts.ones(2))
    with pytest.raises(GraphError, match="nextafter: expected an op with a derivative"):
        ts.nextafter(ts.ones(2).requires_grad_(), 2.0)
