"""Dtypes: promotion, kinds, limits."""

import copy
import itertools
import pickle

import ml_dtypes
import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError

STANDARD = [
    ts.bool, ts.int8, ts.int16, ts.int32, ts.int64, ts.uint8, ts.uint16, ts.uint32, ts.uint64, ts.float32, ts.float64,
]  # fmt: skip
ALL = [*STANDARD, ts.float16, ts.bfloat16]


@pytest.mark.parametrize("dtype", ALL)
def test_name_and_identity(dtype):
    assert getattr(ts, dtype.name) == dtype
    assert str(dtype) == dtype.name
    assert repr(dtype) == f"trainsmith.{dtype.name}"
    assert hash(dtype) == hash(getattr(ts, dtype.name))
    assert copy.deepcopy(dtype) == pickle.loads(pickle.dumps(dtype)) == dtype
    kind = ml_dtypes.bfloat16 if dtype == ts.bfloat16 else dtype.name
    assert dtype.itemsize == np.dtype(kind).itemsize


@pytest.mark.parametrize(("a", "b"), list(itertools.product(STANDARD, STANDARD)))
def test_promotion_is_the_standards_and_mixed_kinds_take_the_float(a, b):
    numbers = {ts.uint64, ts.int8, ts.int16, ts.int32, ts.int64}
    if ts.uint64 in (a, b) and {a, b} <= numbers and a != b:
        with pytest.raises(DTypeError, match="cast one operand"):
            ts.result_type(a, b)
        return
    floats = [d for d in (a, b) if d.is_floating]
    want = max(floats, key=lambda d: d.itemsize).name if floats else np.promote_types(a.name, b.name).name
    assert ts.result_type(a, b).name == want


def test_half_dtypes_promote():
    assert ts.result_type(ts.float16, ts.bfloat16) == ts.float32
    assert ts.result_type(ts.int64, ts.float16) == ts.float16
    assert ts.result_type(ts.bfloat16, ts.float32) == ts.float32


def test_python_numbers_are_weak():
    assert ts.result_type(ts.int8, 3) == ts.int8
    assert ts.result_type(ts.int8, 3.0) == ts.float32
    assert ts.result_type(ts.float64, 3.0, True) == ts.float64
    assert ts.result_type(1, ts.asarray([1.0], dtype=ts.float16), 2.0) == ts.float16
    assert ts.result_type(ts.bool, 1) == ts.int64
    with pytest.raises(ArgumentError, match="at least one tensor or dtype"):
        ts.result_type(1, 2.0)


def test_result_type_is_that_of_an_operation():
    for a, b in itertools.product(ALL, ALL):
        try:
            wanted = (ts.ones(1, dtype=a) == 1).where(ts.ones(1, dtype=a), ts.ones(1, dtype=b)).dtype
        except DTypeError:
            continue
        assert ts.result_type(a, b) == wanted


@pytest.mark.parametrize(
    ("kind", "members"),
    {
        "bool": {"bool"},
        "signed integer": {"int8", "int16", "int32", "int64"},
        "unsigned integer": {"uint8", "uint16", "uint32", "uint64"},
        "integral": {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"},
        "real floating": {"float16", "bfloat16", "float32", "float64"},
        "complex floating": set(),
    }.items(),
)
def test_kinds(kind, members):
    assert {dtype.name for dtype in ALL if ts.isdtype(dtype, kind)} == members
    assert {dtype.name for dtype in ALL if ts.isdtype(dtype, (kind, ts.bool))} == members | {"bool"}


def test_numeric_is_all_but_bool():
    assert [dtype for dtype in ALL if not ts.isdtype(dtype, "numeric")] == [ts.bool]
    assert ts.isdtype(ts.int8, ts.int8)
    assert not ts.isdtype(ts.int8, ts.int16)
    with pytest.raises(ArgumentError, match="expected a kind among bool, signed integer"):
        ts.isdtype(ts.int8, "integers")


def test_can_cast_follows_promotion():
    assert ts.can_cast(ts.uint8, ts.int16)
    assert not ts.can_cast(ts.uint64, ts.int64)
    assert not ts.can_cast(ts.float64, ts.float32)
    assert ts.can_cast(ts.asarray([1], dtype=ts.int8), ts.float16)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_float_limits_are_numpys(name):
    ours, numpys = ts.finfo(getattr(ts, name)), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(ours, field) == getattr(numpys, field), field
    assert ours.dtype == getattr(ts, name)


def test_bfloat16_limits_are_ml_dtypes():
    ours, theirs = ts.finfo(ts.bfloat16), ml_dtypes.finfo(ml_dtypes.bfloat16)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(ours, field) == float(getattr(theirs, field)), field


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integer_limits_are_numpys(name):
    ours, numpys = ts.iinfo(ts.ones(1, dtype=name)), np.iinfo(name)
    assert (ours.bits, ours.min, ours.max, ours.dtype.name) == (numpys.bits, numpys.min, numpys.max, name)


def test_limits_of_the_other_kind_are_refused():
    with pytest.raises(DTypeError, match="use iinfo"):
        ts.finfo(ts.int8)
    with pytest.raises(DTypeError, match="use finfo"):
        ts.iinfo(ts.float32)


@pytest.mark.parametrize("source", [d.name for d in ALL])
@pytest.mark.parametrize("target", [d.name for d in ALL])
def test_astype_is_numpys(source, target):
    values = np.array([0, 1, 2, 100])
    kinds = {"bfloat16": ml_dtypes.bfloat16}
    want = values.astype(kinds.get(source, source)).astype(kinds.get(target, target))
    got = ts.astype(ts.asarray(values).astype(getattr(ts, source)), getattr(ts, target))
    assert got.dtype.name == target
    assert (np.asarray(got) == want).all()


def test_floats_become_integers_by_cutting():
    x = ts.asarray([1.9, -1.9, 0.5])
    assert x.astype(ts.int32).tolist() == [1, -1, 0]
    assert ts.asarray([0.0, -0.5, ts.nan]).astype(ts.bool).tolist() == [False, True, True]


def test_integers_wrap_when_they_narrow():
    assert ts.asarray([300, -1]).astype(ts.uint8).tolist() == [44, 255]


def test_conversion_methods():
    x = ts.asarray([1])
    assert [x.half().dtype, x.float().dtype, x.double().dtype, x.long().dtype] == [
        ts.float16, ts.float32, ts.float64, ts.int64,
    ]  # fmt: skip
    assert x.long() is x
    assert x.to(ts.int64) is x
    assert x.to("cpu") is x
    assert x.to("cpu", ts.float64).dtype == ts.float64
    assert x.to(ts.float64, "cpu").dtype == ts.float64
    assert x.to(dtype="int8").dtype == ts.int8
    assert x.to(device="reference").device == "reference"
    assert x.to_device("reference").to_device("cpu").device == "cpu"
    assert x.astype(ts.int64) is not x
    assert x.astype(ts.int64, copy=False) is x
    with pytest.raises(ArgumentError, match="to: expected one dtype"):
        x.to(ts.int8, ts.int16)
    with pytest.raises(DTypeError, match="to: expected a dtype"):
        x.to(3)
