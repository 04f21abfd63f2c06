"""Elementwise functions against NumPy, over dtypes, shapes, special values and operands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
SHAPES = [(), (1,), (5,), (2, 3), (0,), (3, 0, 2), (2, 1, 3, 1)]
RTOL = {"float16": 4e-3, "float32": 3e-6, "float64": 1e-13}

# name: (NumPy's function, low, high) of the values that are tried
REAL = {
    "abs": (np.abs, -3, 3),
    "acos": (np.arccos, -1, 1),
    "acosh": (np.arccosh, 1, 9),
    "asin": (np.arcsin, -1, 1),
    "asinh": (np.arcsinh, -3, 3),
    "atan": (np.arctan, -3, 3),
    "atanh": (np.arctanh, -0.9, 0.9),
    "ceil": (np.ceil, -3, 3),
    "conj": (np.conj, -3, 3),
    "cos": (np.cos, -3, 3),
    "cosh": (np.cosh, -3, 3),
    "exp": (np.exp, -3, 3),
    "expm1": (np.expm1, -3, 3),
    "floor": (np.floor, -3, 3),
    "imag": (np.imag, -3, 3),
    "log": (np.log, 0.1, 9),
    "log10": (np.log10, 0.1, 9),
    "log1p": (np.log1p, -0.9, 9),
    "log2": (np.log2, 0.1, 9),
    "negative": (np.negative, -3, 3),
    "positive": (np.positive, -3, 3),
    "real": (np.real, -3, 3),
    "reciprocal": (np.reciprocal, 0.2, 3),
    "round": (np.round, -3, 3),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -3, 3),
    "sign": (np.sign, -3, 3),
    "sin": (np.sin, -3, 3),
    "sinh": (np.sinh, -3, 3),
    "sqrt": (np.sqrt, 0, 9),
    "square": (np.square, -3, 3),
    "tan": (np.tan, -1, 1),
    "tanh": (np.tanh, -3, 3),
    "trunc": (np.trunc, -3, 3),
}
KEEPS_INTEGERS = [
    "abs",
    "ceil",
    "conj",
    "floor",
    "imag",
    "negative",
    "positive",
    "real",
    "round",
    "sign",
    "square",
    "trunc",
]
PREDICATES = {"isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan, "signbit": np.signbit}
PAIRS = {
    "add": np.add,
    "atan2": np.arctan2,
    "copysign": np.copysign,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "pow": np.power,
    "remainder": np.remainder,
    "subtract": np.subtract,
}
COMPARISONS = ["equal", "greater", "greater_equal", "less", "less_equal", "not_equal"]
LOGICAL = ["logical_and", "logical_or", "logical_xor"]
BITWISE = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}
INTEGER_PAIRS = {
    "add": np.add,
    "floor_divide": np.floor_divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "remainder": np.remainder,
    "subtract": np.subtract,
}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e-30])


def draw(shape, low, high, dtype="float64", seed=0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def close(got, want, rtol):
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol, equal_nan=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", REAL)
def test_real_function_is_numpys(name, dtype, shape):
    reference, low, high = REAL[name]
    x = draw(shape, low, high, dtype)
    want = np.asarray(reference(x.astype("float64"))).astype(dtype)
    close(getattr(ts, name)(ts.asarray(x)), want, RTOL[dtype] * (10 if dtype == "float16" else 1))


@pytest.mark.parametrize("name", REAL)
def test_function_and_method_agree(name):
    _, low, high = REAL[name]
    x = ts.asarray(draw((4,), low, high))
    assert getattr(x, name)().tolist() == getattr(ts, name)(x).tolist()


@pytest.mark.parametrize("name", sorted(set(REAL) - {"round"}))
def test_special_values_are_numpys(name):
    with np.errstate(all="ignore"):
        want = REAL[name][0](SPECIAL)
    np.testing.assert_allclose(np.asarray(getattr(ts, name)(ts.asarray(SPECIAL))), want, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", KEEPS_INTEGERS)
def test_integer_dtype_stays(name, dtype):
    x = np.array([0, 1, 2, 7, 11], dtype)
    close(getattr(ts, name)(ts.asarray(x)), REAL[name][0](x).astype(dtype), 0)


@pytest.mark.parametrize("name", sorted(set(REAL) - set(KEEPS_INTEGERS)))
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_integers_and_bools_become_float32(name, dtype):
    assert getattr(ts, name)(ts.asarray(np.array([1, 1], dtype))).dtype == ts.float32


@pytest.mark.parametrize("name", PREDICATES)
@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "uint8", "bool"])
def test_predicate_is_numpys(name, dtype):
    with np.errstate(all="ignore"):
        x = SPECIAL[:7].astype(dtype) if dtype in FLOATS else np.array([0, 1, 1], dtype)
    want = np.zeros(x.shape, bool) if (name, dtype) == ("signbit", "bool") else PREDICATES[name](x)
    close(getattr(ts, name)(ts.asarray(x)), want, 0)


@pytest.mark.parametrize(
    "shapes", [((), ()), ((3,), (3,)), ((2, 1), (1, 3)), ((4, 2, 3), (3,)), ((0, 2), (1, 2)), ((), (2, 2))]
)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", PAIRS)
def test_pair_function_is_numpys(name, dtype, shapes):
    a, b = draw(shapes[0], 0.2, 3, dtype), draw(shapes[1], 0.2, 3, dtype, seed=1)
    want = np.asarray(PAIRS[name](a.astype("float64"), b.astype("float64"))).astype(dtype)
    close(getattr(ts, name)(ts.asarray(a), ts.asarray(b)), want, 3 * RTOL[dtype])


@pytest.mark.parametrize("name", sorted(set(PAIRS) - {"floor_divide", "remainder"}))
def test_pairs_of_special_values_are_numpys(name):
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    with np.errstate(all="ignore"):
        want = PAIRS[name](a, b)
    got = np.asarray(getattr(ts, name)(ts.asarray(a), ts.asarray(b)))
    np.testing.assert_allclose(got, want, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_next_number_is_numpys(dtype):
    with np.errstate(all="ignore"):
        x = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, 3e38]).astype(dtype)
        want = np.nextafter(x[:, None], x[None, :])
    close(ts.nextafter(ts.asarray(x[:, None]), ts.asarray(x[None, :])), want, 0)
    for half in (ts.float16, ts.bfloat16):
        with pytest.raises(DTypeError, match="nextafter: expected a dtype for which it is defined"):
            ts.nextafter(ts.ones(1, dtype=half), 2.0)


def test_sign_of_nan_and_zero_is_seen():
    x = np.array([np.nan, -np.nan, 0.0, -0.0])
    assert ts.signbit(ts.asarray(x)).tolist() == np.signbit(x).tolist()
    assert ts.copysign(ts.asarray(1.0), ts.asarray(x)).tolist() == np.copysign(1, x).tolist()


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", INTEGER_PAIRS)
def test_integer_pair_is_numpys(name, dtype):
    a, b = np.array([7, 9, 100, 3], dtype), np.array([2, 9, 7, 5], dtype)
    with np.errstate(all="ignore"):
        want = INTEGER_PAIRS[name](a, b)
    close(getattr(ts, name)(ts.asarray(a), ts.asarray(b)), want, 0)


@pytest.mark.parametrize("name", ["floor_divide", "remainder"])
def test_division_of_negative_integers_rounds_down(name):
    a, b = np.meshgrid([-7, -1, 0, 1, 7], [-3, -1, 1, 3])
    close(getattr(ts, name)(ts.asarray(a), ts.asarray(b)), INTEGER_PAIRS[name](a, b), 0)


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_comparison_is_numpys(name, dtype):
    with np.errstate(all="ignore"):
        x = SPECIAL.astype(dtype) if dtype in FLOATS else np.arange(9).astype(dtype)
    got = np.asarray(getattr(ts, name)(ts.asarray(x[:, None]), ts.asarray(x[None, :])))
    assert (got == getattr(np, name)(x[:, None], x[None, :])).all()


@pytest.mark.parametrize("name", [*LOGICAL, "logical_not"])
@pytest.mark.parametrize("dtype", ["bool", "int32", "float64"])
def test_logic_is_numpys(name, dtype):
    a, b = np.array([0, 0, 1, 1], dtype), np.array([0, 1, 0, 1], dtype)
    operands = (a,) if name == "logical_not" else (a, b)
    got = np.asarray(getattr(ts, name)(*map(ts.asarray, operands)))
    assert (got == getattr(np, name)(*operands)).all()


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize("name", BITWISE)
def test_bits_are_numpys(name, dtype):
    a, b = np.array([0, 1, 6, 12], dtype), np.array([1, 1, 3, 10], dtype)
    close(getattr(ts, name)(ts.asarray(a), ts.asarray(b)), BITWISE[name](a, b), 0)
    close(ts.bitwise_invert(ts.asarray(a)), np.invert(a), 0)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_are_numpys(dtype):
    a, b = np.array([1, 3, 64, 5], dtype), np.array([1, 0, 3, 2], dtype)
    close(ts.bitwise_left_shift(ts.asarray(a), ts.asarray(b)), np.left_shift(a, b), 0)
    close(ts.bitwise_right_shift(ts.asarray(a), ts.asarray(b)), np.right_shift(a, b), 0)


@pytest.mark.parametrize("bounds", [(-1, 1), (None, 0.5), (0.25, None), (None, None), (1, -1)])
def test_clip_is_numpys(bounds):
    x = draw((3, 4), -2, 2)
    want = x.clip(*bounds) if bounds != (None, None) else x
    close(ts.clip(ts.asarray(x), *bounds), want, 0)
    close(ts.asarray(x).clip(min=bounds[0], max=bounds[1]), want, 0)


def test_clip_takes_tensors_and_keeps_nan():
    x = np.array([[np.nan, 5.0, -5.0], [0.0, 1.0, 2.0]])
    low, high = np.array([-1.0, 0.0, -2.0]), np.array([[1.0], [1.5]])
    close(ts.clip(ts.asarray(x), ts.asarray(low), ts.asarray(high)), np.clip(x, low, high), 0)


def test_where_broadcasts_three_shapes():
    condition = np.array([[True], [False]])
    a, b = np.arange(3.0), np.float64(7)
    close(ts.where(ts.asarray(condition), ts.asarray(a), ts.asarray(b)), np.where(condition, a, b), 0)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [ts.float16, ts.bfloat16, ts.float32, ts.float64])
def test_python_number_takes_the_tensors_dtype(name, dtype):
    x = ts.asarray([1.0, 2.0], dtype=dtype)
    assert getattr(ts, name)(x, 2).dtype == dtype
    assert getattr(ts, name)(2.5, x).dtype == dtype


def test_float_number_beside_integers_gives_float32():
    assert (ts.asarray([1, 2]) + 0.5).dtype == ts.float32
    assert ts.maximum(ts.asarray([1, 2], dtype=ts.int8), 1).dtype == ts.int8


def test_weak_number_keeps_all_its_digits():
    x = ts.asarray([0.0], dtype=ts.float64)
    for name in ("add", "maximum", "hypot"):
        assert float(getattr(ts, name)(x, 0.1)[0]) == 0.1


def test_number_that_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match=r"add: expected .*int8.*got 300"):
        ts.add(ts.asarray([1], dtype=ts.int8), 300)


@pytest.mark.parametrize("name", ["negative", "abs", "sign", "floor", "square"])
def test_bools_have_no_arithmetic(name):
    with pytest.raises(DTypeError, match="expected"):
        getattr(ts, name)(ts.asarray([True]))


@pytest.mark.parametrize("name", [*BITWISE, "bitwise_left_shift"])
def test_floats_have_no_bits(name):
    with pytest.raises(DTypeError, match="expected"):
        getattr(ts, name)(ts.asarray([1.0]), ts.asarray([1.0]))


@pytest.mark.parametrize("name", [*PAIRS, *COMPARISONS, *LOGICAL])
def test_shapes_that_do_not_broadcast_are_refused(name):
    with pytest.raises(ShapeError, match=r"expected shapes that broadcast.*got \(2,\) and \(3,\)"):
        getattr(ts, name)(ts.ones(2), ts.ones(3))


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_hypot_and_logaddexp_neither_overflow_nor_underflow(a, b):
    x, y = ts.asarray(np.array([a, b])), ts.asarray(np.array([b, a]))
    close(ts.hypot(x, y), np.hypot([a, b], [b, a]), 1e-12)
    close(ts.logaddexp(x, y), np.logaddexp([a, b], [b, a]), 1e-12)


@pytest.mark.parametrize("name", [*REAL, *PREDICATES, "logical_not", *PAIRS, *COMPARISONS, *LOGICAL])
def test_bfloat16_rounds_the_float32_result(name):
    x = ts.asarray([0.5, 0.75, 1.0], dtype=ts.bfloat16)
    operands = (x, x * 0.5) if name in {*PAIRS, *COMPARISONS, *LOGICAL} else (x,)
    wide = getattr(ts, name)(*(operand.float() for operand in operands))
    got = getattr(ts, name)(*operands)
    want = wide if wide.dtype == ts.bool else wide.astype(ts.bfloat16)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got.float().numpy(), want.float().numpy(), rtol=2e-2)
