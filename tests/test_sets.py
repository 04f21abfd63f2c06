"""Distinct elements: NumPy's, with the standard's word on NaN and zeros."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import GraphError

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", ["bool", "int16", "uint64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 5)])
def test_unique_all_is_numpys(dtype, shape):
    x = RNG.integers(0, 4, shape).astype(dtype)
    t = ts.asarray(x)
    found = ts.unique_all(t)
    values, indices, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert np.array_equal(found.values, values)
    assert found.values.dtype == t.dtype
    assert np.array_equal(found.indices, indices)
    assert np.array_equal(found.inverse_indices, inverse.reshape(shape))
    assert np.array_equal(found.counts, counts)
    assert {part.dtype for part in found[1:]} == {ts.int64}
    assert np.array_equal(np.asarray(found.values)[np.asarray(found.inverse_indices)], x)
    assert [p.tolist() for p in ts.unique_counts(t)] == [found.values.tolist(), found.counts.tolist()]
    assert [p.tolist() for p in ts.unique_inverse(t)] == [found.values.tolist(), found.inverse_indices.tolist()]
    assert ts.unique_values(t).tolist() == found.values.tolist()


def test_every_nan_is_distinct_and_zeros_are_equal():
    found = ts.unique_counts(ts.asarray([np.nan, 0.0, -0.0, np.nan]))
    assert found.counts.tolist() == [2, 1, 1]


def test_bfloat16_has_distinct_elements_too():
    assert ts.unique_values(ts.asarray([2.0, 1.0, 2.0], dtype=ts.bfloat16)).tolist() == [1.0, 2.0]


def test_gradients_flow_to_the_first_of_equals():
    x = ts.asarray([2.0, 1.0, 2.0]).requires_grad_()
    ts.unique_values(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_a_compiled_function_cannot_know_how_many_there_are():
    with pytest.raises(GraphError):
        ts.compile(ts.unique_values)(ts.ones(3))
