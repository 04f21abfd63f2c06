"""Element types, and the standard's questions about them."""

import builtins
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np

from trainsmith._core import DType, Tensor, apply
from trainsmith._core import dtype as _named
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, DTypeError

bool = _named("bool")
int8 = _named("int8")
int16 = _named("int16")
int32 = _named("int32")
int64 = _named("int64")
uint8 = _named("uint8")
uint16 = _named("uint16")
uint32 = _named("uint32")
uint64 = _named("uint64")
float16 = _named("float16")
bfloat16 = _named("bfloat16")
float32 = _named("float32")
float64 = _named("float64")

SIGNED = (int8, int16, int32, int64)
UNSIGNED = (uint8, uint16, uint32, uint64)
FLOATING = (float16, bfloat16, float32, float64)
ALL = (bool, *SIGNED, *UNSIGNED, *FLOATING)

_KINDS: dict[str, tuple[DType, ...]] = {
    "bool": (bool,),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": SIGNED + UNSIGNED,
    "real floating": FLOATING,
    "complex floating": (),
    "numeric": SIGNED + UNSIGNED + FLOATING,
}


def as_dtype(dtype: DTypeLike | None) -> DType | None:
    """Gives the dtype that an argument names; None stays None."""
    if dtype is None or isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, str):
        return _named(dtype)
    numpy_class = isinstance(dtype, type) and issubclass(cast(type[Any], dtype), np.generic)
    if isinstance(dtype, np.dtype) or numpy_class:
        return _named(np.dtype(dtype).name)
    raise problem(DTypeError, "dtype", 'a dtype such as trainsmith.float32, or its name "float32"', repr(dtype))


def kind_names() -> tuple[str, ...]:
    """Gives the kinds of dtypes that the standard names."""
    return tuple(_KINDS)


def of_kind(kind: str) -> tuple[DType, ...]:
    """Gives the dtypes of a kind."""
    if kind not in _KINDS:
        raise problem(ArgumentError, "isdtype", "a kind among " + ", ".join(_KINDS), repr(kind))
    return _KINDS[kind]


def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[DTypeLike | str, ...]) -> builtins.bool:
    """Says whether a dtype is of a kind.

    Args:
        dtype: the dtype.
        kind: a dtype, one of `bool`, `signed integer`, `unsigned integer`, `integral`, `real floating`,
            `complex floating`, `numeric`, or a tuple of these, of which one must hold.

    Returns:
        True or False.

    Raises:
        ArgumentError: an unknown kind.

    Example:
        >>> import trainsmith as ts
        >>> ts.isdtype(ts.float32, "real floating"), ts.isdtype(ts.bool, "numeric")
        (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, part) for part in kind)
    if isinstance(kind, str):
        return as_dtype(dtype) in of_kind(kind)
    return as_dtype(dtype) == as_dtype(kind)


@lru_cache(maxsize=512)
def _promoted(a: DType, b: DType) -> DType:
    """The rule itself stands in the core; joining two empty tensors asks for it."""
    empties = tuple(apply("full", (0,), {"shape": (0,), "dtype": dtype}) for dtype in (a, b))
    return apply("concat", empties, {"axis": 0}).dtype


def result_type(*arrays_and_dtypes: Tensor | DTypeLike | builtins.bool | float) -> DType:
    """Gives the dtype that an operation of these operands has.

    Integer or bool with float gives the float's dtype; float16 with bfloat16 gives float32; Python numbers are weak.

    Args:
        arrays_and_dtypes: tensors, dtypes and Python numbers, with at least one tensor or dtype.

    Returns:
        The common dtype.

    Raises:
        ArgumentError: neither a tensor nor a dtype among them.
        DTypeError: dtypes without a common one, such as uint64 and int64.

    Example:
        >>> import trainsmith as ts
        >>> ts.result_type(ts.int32, ts.float16)
        trainsmith.float16
        >>> ts.result_type(ts.asarray([1, 2]), 0.5)
        trainsmith.float32
    """
    found: DType | None = None
    numbers: list[builtins.bool | float] = []
    for item in arrays_and_dtypes:
        if isinstance(item, builtins.bool | int | float):
            numbers.append(item)
            continue
        dtype = item.dtype if isinstance(item, Tensor) else as_dtype(item)
        found = dtype if found is None or dtype is None else _promoted(found, dtype)
    if found is None:
        raise problem(ArgumentError, "result_type", "at least one tensor or dtype", f"{len(numbers)} Python numbers")
    for number in numbers:
        empty = apply("full", (0,), {"shape": (0,), "dtype": found})
        found = cast(DType, apply("maximum", (empty, number)).dtype)
    return found


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> builtins.bool:
    """Says whether promotion takes one dtype to another.

    Args:
        from_: a dtype, or a tensor that has it.
        to: the dtype wanted.

    Returns:
        True where an operation of the two dtypes gives `to`.

    Example:
        >>> import trainsmith as ts
        >>> ts.can_cast(ts.int8, ts.int32), ts.can_cast(ts.float32, ts.int32)
        (True, False)
    """
    try:
        return result_type(from_, to) == as_dtype(to)
    except DTypeError:
        return False


class FloatInfo(NamedTuple):
    """Limits of a floating dtype."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


class IntegerInfo(NamedTuple):
    """Limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


# Bits of the significand after the point, and the exponent of the largest power of two.
_FLOATS = {float16: (10, 15), bfloat16: (7, 127), float32: (23, 127), float64: (52, 1023)}


def finfo(type: DTypeLike | Tensor, /) -> FloatInfo:
    """Gives the limits of a floating dtype.

    Args:
        type: a floating dtype, or a tensor that has it.

    Returns:
        `bits`, `eps` (distance from 1 to the next number), `max`, `min`, `smallest_normal` and `dtype`.

    Raises:
        DTypeError: a dtype that is not floating.

    Example:
        >>> import trainsmith as ts
        >>> ts.finfo(ts.bfloat16).eps
        0.0078125
    """
    dtype = type.dtype if isinstance(type, Tensor) else as_dtype(type)
    if dtype is None or dtype not in _FLOATS:
        raise problem(DTypeError, "finfo", "a floating dtype; use iinfo for integers", str(dtype))
    digits, exponent = _FLOATS[dtype]
    eps = 2.0**-digits
    largest = (2 - eps) * 2.0**exponent
    return FloatInfo(8 * dtype.itemsize, eps, largest, -largest, 2.0 ** (1 - exponent), dtype)


def iinfo(type: DTypeLike | Tensor, /) -> IntegerInfo:
    """Gives the limits of an integer dtype.

    Args:
        type: an integer dtype, or a tensor that has it.

    Returns:
        `bits`, `max`, `min` and `dtype`.

    Raises:
        DTypeError: a dtype that is no integer.

    Example:
        >>> import trainsmith as ts
        >>> ts.iinfo(ts.int8).min, ts.iinfo(ts.int8).max
        (-128, 127)
    """
    dtype = type.dtype if isinstance(type, Tensor) else as_dtype(type)
    if dtype is None or not dtype.is_integer:
        raise problem(DTypeError, "iinfo", "an integer dtype; use finfo for floats", str(dtype))
    bits = 8 * dtype.itemsize
    if dtype in UNSIGNED:
        return IntegerInfo(bits, 2**bits - 1, 0, dtype)
    return IntegerInfo(bits, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), dtype)
