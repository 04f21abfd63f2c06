"""Elementwise parts of captured functions give the bits of eager calls, however many values live at once."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import trainsmith as ts

ONE: list[Callable[[Any], Any]] = [
    ts.exp, ts.expm1, ts.tanh, ts.negative, ts.abs, ts.floor, ts.nn.functional.sigmoid, ts.nn.functional.gelu,
    lambda x: ts.sqrt(ts.abs(x)), lambda x: ts.log1p(ts.abs(x)), lambda x: ts.log(x), lambda x: 1.0 / x,
]  # fmt: skip
TWO: list[Callable[[Any, Any], Any]] = [
    ts.add, ts.subtract, ts.multiply, ts.divide, ts.maximum, ts.minimum,
    lambda x, y: ts.where(x < y, x, 0.5), lambda x, y: ts.where((x <= y) & (y != 0), x * y, y - 1.0),
]  # fmt: skip
#: Sizes around registers and tiles; rows, with columns that fill no register.
SHAPES = [(1,), (15,), (16,), (17,), (1003,), (9001,), (37, 33), (5, 130), (3, 4, 65)]


def formula(seed: int, inputs: int, length: int, *, rows: bool) -> Callable[..., tuple[Any, ...]]:
    """A function of so many operations, chosen by the seed; some of what it computes on the way is given too."""

    def run(*x: Any) -> tuple[Any, ...]:
        choose = np.random.default_rng(seed)
        values = list(x)
        # Where few values are old, chains are long; where many are, all of them stay alive.
        reach = choose.choice([3, 10, 40])
        for _ in range(length):
            recent = values[-reach:]
            a, b = (recent[choose.integers(len(recent))] for _ in range(2))
            kind = choose.random()
            if rows and kind < 0.1:
                values.append(a - ts.max(b, axis=-1, keepdims=True))
            elif kind < 0.4:
                values.append(ONE[choose.integers(len(ONE))](a))
            else:
                values.append(TWO[choose.integers(len(TWO))](a, b))
        kept = choose.choice(len(values) - inputs, size=3) + inputs
        return (values[-1], values[-1] < 0.25, *(values[i] for i in kept))

    return run


def assert_same(got: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    for one, other in zip(map(np.asarray, got), map(np.asarray, wanted), strict=True):
        number = one == one
        assert np.array_equal(number, other == other)
        # Zeros of both signs are told apart.
        assert one[number].tobytes() == other[number].tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_captured_formulas_give_the_bits_of_eager_ones(seed: int, shape: tuple[int, ...], dtype: Any) -> None:
    draw = np.random.default_rng(seed + 100)
    inputs = int(draw.integers(1, 6))
    x = [ts.asarray(draw.standard_normal(shape).astype(dtype) * 3) for _ in range(inputs)]
    function = formula(seed, inputs, int(draw.integers(2, 60)), rows=len(shape) > 1)
    assert_same(ts.compile(function)(*x), function(*x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values_come_out_as_in_eager_calls(dtype: Any) -> None:
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e30, -1e30, 88.9, -104.5]
    pairs = np.array([(a, b) for a in special for b in special], dtype=dtype).T
    x, y = (ts.asarray(np.ascontiguousarray(side)) for side in pairs)

    def function(x: Any, y: Any) -> tuple[Any, ...]:
        return tuple(two(one(x), y) for one in ONE for two in TWO)

    assert_same(ts.compile(function)(x, y), function(x, y))


#: Refuses memory that is first written and then run (prctl PR_SET_MDWE), as hardened systems do.
REFUSED = """
import ctypes, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(7)
import numpy as np
import trainsmith as ts
x = ts.asarray(np.linspace(-3, 3, 1000, dtype=np.float32))
formula = lambda x: ts.exp(-x * x * 0.5) * x + 1.0
assert np.asarray(ts.compile(formula)(x)).tobytes() == np.asarray(formula(x)).tobytes()
assert not [line for line in open("/proc/self/maps") if " r-xp 00000000 00:00 0" in line and "[" not in line]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the refusal is asked of Linux")
def test_loops_compute_where_the_system_runs_no_written_memory() -> None:
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True)
    if done.returncode == 7:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert not done.returncode, done.stderr
