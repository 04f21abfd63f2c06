"""What layers share: empty parameters of a dtype on a device."""

from collections.abc import Sequence
from typing import cast

from trainsmith._core import DType, Parameter, Tensor, apply
from trainsmith._dtypes import as_dtype, float32
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, DTypeError


def zeros(shape: Sequence[int], dtype: DTypeLike | None, device: str | None) -> Tensor:
    """Makes a floating tensor of zeros; float32 on the CPU unless told otherwise."""
    chosen = as_dtype(dtype) or float32
    if not chosen.is_floating:
        raise problem(DTypeError, "nn", "a floating dtype, such as trainsmith.float32", str(chosen))
    return full(0.0, shape, chosen, device)


def full(value: float, shape: Sequence[int], dtype: DType, device: str | None) -> Tensor:
    """Makes a tensor of one number."""
    options = {"shape": tuple(shape), "dtype": dtype, "device": device or "cpu"}
    return cast(Tensor, apply("full", (value,), options))


def parameter(shape: Sequence[int], dtype: DTypeLike | None, device: str | None) -> Parameter:
    """Makes a parameter of zeros, to be initialised."""
    return Parameter(zeros(shape, dtype, device))


def positive(op: str, **values: int) -> None:
    """Refuses sizes below 1.

    Raises:
        ArgumentError: one that is no integer of at least 1.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise problem(ArgumentError, op, f"{name} to be an integer of at least 1", repr(value))
