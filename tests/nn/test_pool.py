"""Pools against plain loops: every option, ties, empty borders, gradients, captured calls, errors."""

import itertools
import math

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

F = nn.functional
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_AVG = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}

# Sizes of the input, kernel, stride, padding, dilation, ceil_mode.
WINDOWS = [
    ((8,), 2, None, 0, 1, False),
    ((7,), 3, 2, 1, 1, True),
    ((9,), 2, 4, 1, 3, True),
    ((10,), 3, 1, 0, 2, False),
    ((6, 5), 2, None, 0, 1, False),
    ((6, 5), (3, 2), (2, 1), (1, 1), 1, False),
    ((7, 5), 3, 2, 1, 1, True),
    ((6, 8), (2, 3), 2, (0, 1), (3, 1), True),
    ((4, 5, 3), 2, 1, 1, 1, False),
    ((4, 5, 6), (2, 3, 2), (2, 2, 3), (1, 0, 1), 1, True),
]


def per_axis(value, axes):
    return (value,) * axes if isinstance(value, int) else value


def windows(sizes, kernel, stride, padding, dilation, ceil):
    """Gives for each axis and place the positions under the window, without the border, and how far it counts."""
    axes = len(sizes)
    stride = kernel if stride is None else stride
    found = []
    options = (per_axis(option, axes) for option in (kernel, stride, padding, dilation))
    for size, k, s, p, d in zip(sizes, *options, strict=True):
        reach = d * (k - 1) + 1
        count = (size + 2 * p - reach) / s
        count = (math.ceil(count) if ceil else math.floor(count)) + 1
        if ceil and (count - 1) * s >= size + p:
            count -= 1
        starts = [place * s - p for place in range(count)]
        inside = [[i for i in range(start, start + reach, d) if 0 <= i < size] for start in starts]
        found.append((inside, [min(start + k, size + p) - start for start in starts]))
    return found


def fold(x, axes, function):
    """Gives the function of (plane, positions under the window, place) for each plane and place."""
    lead = x.shape[: -len(axes)]
    sizes = [len(positions) for positions in axes]
    out = np.empty((*lead, *sizes))
    for index in np.ndindex(lead):
        for place in np.ndindex(*sizes):
            under = list(itertools.product(*(positions[p] for positions, p in zip(axes, place, strict=True))))
            out[(*index, *place)] = function(x[index], under, place)
    return out


def first_maximum(plane, under, place):
    values = [plane[i] for i in under]
    return np.ravel_multi_index(under[int(np.argmax(values))], plane.shape)


@pytest.mark.parametrize(("sizes", "kernel", "stride", "padding", "dilation", "ceil"), WINDOWS)
def test_maxima_are_those_of_plain_loops(sizes, kernel, stride, padding, dilation, ceil):
    x = numbers(2, 3, *sizes)
    axes = [inside for inside, _ in windows(sizes, kernel, stride, padding, dilation, ceil)]
    want = fold(x, axes, lambda plane, under, _: max(plane[i] for i in under))
    places = fold(x, axes, first_maximum)
    got, indices = MAX[len(sizes)](ts.asarray(x), kernel, stride, padding, dilation, ceil, return_indices=True)
    np.testing.assert_array_equal(np.asarray(got), want)
    np.testing.assert_array_equal(np.asarray(indices), places)
    layer = getattr(nn, f"MaxPool{len(sizes)}d")(kernel, stride, padding, dilation, ceil_mode=ceil)
    np.testing.assert_array_equal(np.asarray(layer(ts.asarray(x[0]))), want[0])


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(("sizes", "kernel", "stride", "padding", "dilation", "ceil"), WINDOWS)
def test_means_are_those_of_plain_loops(sizes, kernel, stride, padding, dilation, ceil, include):
    if dilation != 1:
        padding = 0
    x = numbers(2, 3, *sizes)
    found = windows(sizes, kernel, stride, padding, 1, ceil)

    def mean(plane, under, place):
        counts = [counted[p] for (_, counted), p in zip(found, place, strict=True)]
        return sum(plane[i] for i in under) / (math.prod(counts) if include else len(under))

    want = fold(x, [inside for inside, _ in found], mean)
    got = AVG[len(sizes)](ts.asarray(x), kernel, stride, padding, ceil, include)
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12, atol=1e-14)
    layer = getattr(nn, f"AvgPool{len(sizes)}d")(kernel, stride, padding, ceil, include)
    np.testing.assert_array_equal(np.asarray(layer(ts.asarray(x))), np.asarray(got))


def test_a_divisor_replaces_the_count():
    assert F.avg_pool2d(ts.ones((1, 2, 2)), 2, divisor_override=8).tolist() == [[[0.5]]]


BINS = [((10,), (3,)), ((7,), (9,)), ((8,), (4,)), ((6, 5), (4, 5)), ((5, 7), (2, 3)), ((3, 4, 5), (2, 3, 4))]


@pytest.mark.parametrize(("sizes", "bins"), BINS)
def test_bins_cover_the_input(sizes, bins):
    x = numbers(2, 3, *sizes)
    axes = [
        [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        for size, count in zip(sizes, bins, strict=True)
    ]
    mean = fold(x, axes, lambda plane, under, _: np.mean([plane[i] for i in under]))
    size = bins[0] if len(bins) == 1 else bins
    np.testing.assert_allclose(np.asarray(ADAPTIVE_AVG[len(sizes)](ts.asarray(x), size)), mean, rtol=1e-12)
    got, indices = ADAPTIVE_MAX[len(sizes)](ts.asarray(x), size, return_indices=True)
    np.testing.assert_array_equal(np.asarray(got), fold(x, axes, lambda plane, under, _: max(plane[i] for i in under)))
    np.testing.assert_array_equal(np.asarray(indices), fold(x, axes, first_maximum))
    layer = getattr(nn, f"AdaptiveAvgPool{len(sizes)}d")(size)
    np.testing.assert_allclose(np.asarray(layer(ts.asarray(x))), mean, rtol=1e-12)


def test_repeated_elements_of_a_bin_never_spoil_a_mean():
    x = ts.asarray([[1.0, 2.0, float("inf")]])
    assert F.adaptive_avg_pool1d(x, 2).tolist() == [[1.5, float("inf")]]


def test_none_keeps_the_size_of_an_axis():
    assert F.adaptive_avg_pool2d(ts.ones((1, 4, 5)), (2, None)).shape == (1, 2, 5)


def test_the_first_of_equal_maxima_takes_the_gradient():
    x = ts.ones((1, 1, 4, 4)).requires_grad_()
    ts.sum(F.max_pool2d(x, 3, 1)).backward()
    want = np.zeros((4, 4))
    want[:2, :2] = 1
    np.testing.assert_array_equal(np.asarray(x.grad)[0, 0], want)
    x = ts.ones((1, 5)).requires_grad_()
    ts.sum(F.adaptive_max_pool1d(x, 3)).backward()
    assert x.grad.tolist() == [[1.0, 1.0, 0.0, 1.0, 0.0]]


def test_nan_wins_and_the_border_never_does():
    x = ts.asarray([[float("nan"), 1.0, -5.0, -7.0]])
    got = np.asarray(F.max_pool1d(x, 3, 3, 1))
    assert np.isnan(got[0, 0])
    assert got[0, 1] == -5


GRADIENTS = {
    "max": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max with gaps": lambda x: F.max_pool1d(x, 2, 3, dilation=2, ceil_mode=True),
    "mean": lambda x: F.avg_pool2d(x, 3, 2, 1),
    "mean without border": lambda x: F.avg_pool2d(x, (3, 2), 2, 1, ceil_mode=True, count_include_pad=False),
    "bins": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "largest of bins": lambda x: F.adaptive_max_pool2d(x, (3, 2)),
}


@pytest.mark.parametrize("f", GRADIENTS.values(), ids=list(GRADIENTS))
def test_gradients_are_differences(f):
    check_gradients(f, numbers(2, 5, 5))
    check_captured(f, numbers(2, 5, 5))


def test_second_derivatives_of_a_maximum_pass_through_the_same_element():
    def energy(x):
        return ts.sum(F.max_pool1d(x, 2) ** 3)

    slope = ts.grad(lambda x: ts.sum(ts.grad(energy)(x)))
    assert slope(ts.asarray([[1.0, 2.0, 4.0, 3.0]])).tolist() == [[0.0, 12.0, 24.0, 0.0]]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes_stay(dtype):
    x = ts.ones((1, 1, 4, 4), dtype=getattr(ts, dtype))
    for result in (F.max_pool2d(x, 2), F.avg_pool2d(x, 2), F.adaptive_avg_pool2d(x, 3), F.adaptive_max_pool2d(x, 3)):
        assert str(result.dtype) == dtype
        assert float(ts.sum(result)) == result.size


def test_large_float16_sums_do_not_overflow():
    x = ts.full((1, 1, 4, 4), 60000.0, dtype=ts.float16)
    assert F.avg_pool2d(x, 4).tolist() == [[[[60000.0]]]]


REFUSED = {
    "axes": (lambda: F.max_pool2d(ts.ones((4, 4)), 2), ShapeError),
    "smaller than the window": (lambda: F.max_pool1d(ts.ones((1, 3)), 4), ShapeError),
    "too much padding": (lambda: F.max_pool1d(ts.ones((1, 8)), 2, padding=2), ArgumentError),
    "no stride": (lambda: F.avg_pool1d(ts.ones((1, 8)), 2, stride=0), ArgumentError),
    "sizes": (lambda: F.avg_pool2d(ts.ones((1, 8, 8)), (2, 2, 2)), ArgumentError),
    "divisor": (lambda: F.avg_pool2d(ts.ones((1, 8, 8)), 2, divisor_override=0), ArgumentError),
    "no bins": (lambda: F.adaptive_avg_pool1d(ts.ones((1, 8)), 0), ShapeError),
    "empty input": (lambda: F.adaptive_max_pool1d(ts.ones((1, 0)), 2), ShapeError),
    "integers": (lambda: F.max_pool1d(ts.asarray([[1, 2]]), 2), DTypeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
