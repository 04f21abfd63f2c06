"""Random tensors: their stream, their ranges, their moments."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError

DRAWS = {
    "rand": lambda n: ts.rand(n),
    "randn": lambda n: ts.randn(n),
    "randint": lambda n: ts.randint(0, 100, n),
    "rand64": lambda n: ts.rand(n, dtype=ts.float64),
    "randn16": lambda n: ts.randn((n,), dtype=ts.float16),
}


@pytest.mark.parametrize("name", DRAWS)
def test_seed_decides_the_numbers(name):
    ts.manual_seed(1)
    first = DRAWS[name](50).tolist()
    second = DRAWS[name](50).tolist()
    ts.manual_seed(1)
    assert DRAWS[name](50).tolist() == first
    assert DRAWS[name](50).tolist() == second
    assert first != second
    ts.manual_seed(2)
    assert DRAWS[name](50).tolist() != first


def test_state_saves_the_place_in_the_stream():
    ts.manual_seed(3)
    ts.rand(7)
    generator = ts.default_generator()
    state = generator.get_state()
    want = ts.randn(9).tolist()
    generator.set_state(state)
    assert ts.randn(9).tolist() == want
    assert generator.initial_seed() == 3


def test_generators_are_streams_of_their_own():
    generator = ts.Generator(5)
    assert generator.initial_seed() == 5
    assert generator.get_state() == (5, 0)
    generator.set_state((6, 40))
    assert generator.get_state() == (6, 40)
    assert generator.manual_seed(9) is generator
    assert generator.get_state() == (9, 0)


def test_moments():
    ts.manual_seed(0)
    n = 200_000
    uniform, normal = np.asarray(ts.rand(n, dtype=ts.float64)), np.asarray(ts.randn(n, dtype=ts.float64))
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.004)
    assert uniform.var() == pytest.approx(1 / 12, abs=0.002)
    assert normal.mean() == pytest.approx(0, abs=0.01)
    assert normal.var() == pytest.approx(1, abs=0.02)
    assert (normal**4).mean() == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-5, 5), (10, 13), (0, 2**31), (-(2**40), -(2**40) + 7)])
def test_integers_lie_between_their_bounds(low, high):
    drawn = np.asarray(ts.randint(low, high, (1000,)))
    assert drawn.dtype == np.int64
    assert drawn.min() >= low
    assert drawn.max() < high


def test_every_integer_comes():
    counts = np.bincount(np.asarray(ts.randint(0, 8, (8000,))), minlength=8)
    assert counts.min() > 800


def test_shapes_and_dtypes():
    assert ts.rand(2, 3).shape == ts.randn((2, 3)).shape == ts.randint(0, 9, (2, 3)).shape == (2, 3)
    assert ts.rand().shape == ts.randn(()).shape == ()
    assert ts.rand(0, 2).shape == (0, 2)
    assert ts.randint(0, 9, 4, dtype=ts.uint8).dtype == ts.uint8
    for dtype in (ts.float16, ts.bfloat16, ts.float32, ts.float64):
        assert ts.rand(2, dtype=dtype).dtype == ts.randn(2, dtype=dtype).dtype == dtype


def test_half_precision_stays_below_one():
    assert float(ts.max(ts.rand(100_000, dtype=ts.bfloat16))) < 1
    assert float(ts.max(ts.rand(100_000, dtype=ts.float16))) < 1


def test_random_tensors_require_no_gradient():
    assert not ts.rand(2).requires_grad


def test_what_breaks_a_rule_is_refused():
    with pytest.raises(ArgumentError, match="randint: expected low < high"):
        ts.randint(3, 3, (2,))
    with pytest.raises(ArgumentError, match="randint: expected low < high"):
        ts.randint(0, 2**31 + 1, (2,))
    with pytest.raises(DTypeError, match="expected a floating dtype"):
        ts.rand(2, dtype=ts.int32)
