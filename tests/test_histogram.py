"""Histograms are NumPy's."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(3)
LINES = {
    "normal": RNG.normal(size=(20, 7)),
    "ties": np.round(RNG.normal(size=50) * 2) / 2,
    "one": np.asarray([2.5]),
    "equal": np.full(4, -1.0),
    "scalar": np.asarray(3.0),
}
BINS = {"10": 10, "1": 1, "7": 7, "edges": [-1.0, -0.5, 0.0, 0.1, 2.0]}


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bins", BINS.values(), ids=list(BINS))
@pytest.mark.parametrize("name", LINES)
def test_histogram_is_numpys(name, bins, weighted, density):
    x = LINES[name]
    weights = RNG.uniform(size=x.shape) if weighted else None
    want, edges = np.histogram(x, bins, weights=weights, density=density) if _inside(x, bins, density) else (None, None)
    if want is None:
        return
    given = None if weights is None else ts.asarray(weights)
    run = lambda x: ts.histogram(x, bins, weights=given, density=density)  # noqa: E731
    for got in (run(ts.asarray(x)), ts.compile(run)(ts.asarray(x))):
        np.testing.assert_allclose(got.edges, edges, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(got.counts, want, rtol=1e-6 if density else 1e-12, atol=1e-12)


def _inside(x, bins, density):
    """Whether there is something to divide by."""
    return not density or isinstance(bins, int) or ((x >= bins[0]) & (x <= bins[-1])).any()


def test_a_range_leaves_out_what_lies_outside_and_nan():
    x = ts.asarray(np.asarray([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]))
    counts, edges = x.histogram(2, range=(0.0, 1.0))
    assert (counts.tolist(), edges.tolist(), counts.dtype) == ([1, 2], [0.0, 0.5, 1.0], ts.int64)


def test_integers_have_float_edges():
    counts, edges = ts.histogram(ts.asarray([1, 2, 2, 5]), bins=4)
    assert (counts.tolist(), edges.tolist(), edges.dtype) == ([1, 2, 0, 1], [1.0, 2.0, 3.0, 4.0, 5.0], ts.float32)


def test_gradients_reach_the_weights():
    weights = ts.asarray([1.0, 2.0, 3.0]).requires_grad_()
    counts = ts.histogram(ts.asarray([0.0, 1.0, 0.2]), 2, weights=weights).counts
    (counts * ts.asarray([1.0, 10.0])).sum().backward()
    assert weights.grad.tolist() == [1.0, 10.0, 1.0]


REFUSED = {
    "no interval": (lambda: ts.histogram(ts.ones(3), 0), ArgumentError),
    "range": (lambda: ts.histogram(ts.ones(3), range=(1.0, 1.0)), ArgumentError),
    "one edge": (lambda: ts.histogram(ts.ones(3), [1.0]), ShapeError),
    "weights": (lambda: ts.histogram(ts.ones(3), weights=ts.ones(2)), ShapeError),
    "no elements": (lambda: ts.histogram(ts.ones(0)), ShapeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
