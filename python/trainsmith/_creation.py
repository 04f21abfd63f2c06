"""Tensors from nothing."""

import builtins

import numpy as np

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import as_dtype, float32, int64
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike, Operand, Shape
from trainsmith.errors import ArgumentError, ShapeError

Number = builtins.bool | int | float


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Counts from a start to a stop.

    start + i step, for all i from 0 below (stop - start) / step.

    Args:
        start: the first number; the stop where no other is given, and 0 the start.
        stop: the numbers end before it.
        step: from one number to the next, not 0.
        dtype: of the result; int64 for integers and float32 otherwise by default.
        device: of the result; `cpu` by default.

    Returns:
        Shape (⌈(stop - start) / step⌉,), empty where that is negative.

    Raises:
        ArgumentError: a step of 0, or bounds that are not finite.

    Example:
        >>> import trainsmith as ts
        >>> ts.arange(3).tolist(), ts.arange(1, 2, 0.5).tolist()
        ([0, 1, 2], [1.0, 1.5])
    """
    first, last = (0, start) if stop is None else (start, stop)
    natural = int64 if all(isinstance(bound, int) for bound in (first, last, step)) else float32
    bounds = {"start": float(first), "stop": float(last), "step": float(step)}
    return apply("arange", (), {**bounds, "dtype": as_dtype(dtype) or natural, "device": device})


def empty(shape: Shape, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor whose elements do not matter; they are 0.

    Args:
        shape: sizes.
        dtype: float32 by default.
        device: `cpu` by default.

    Returns:
        The shape asked for.

    Example:
        >>> import trainsmith as ts
        >>> ts.empty((2, 3)).shape
        (2, 3)
    """
    return full(shape, 0, dtype=as_dtype(dtype) or float32, device=device)


def empty_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor of the shape of another, whose elements do not matter; they are 0.

    Args:
        x: gives the shape, and dtype and device by default.
        dtype: of the result.
        device: of the result.

    Returns:
        Shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.empty_like(ts.ones((2, 3))).shape
        (2, 3)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def full(shape: Shape, fill_value: Operand, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor with one value everywhere.

    Args:
        shape: sizes.
        fill_value: a number, or a 0-d tensor.
        dtype: by default bool, int64 or float32 as the number is.
        device: `cpu` by default.

    Returns:
        The shape asked for.

    Raises:
        ArgumentError: a negative size, or an integer that the dtype cannot hold.
        ShapeError: a value with more than one element.

    Example:
        >>> import trainsmith as ts
        >>> ts.full((2,), 7).tolist()
        [7, 7]
    """
    value = asarray(fill_value, dtype=dtype, device=device)
    if isinstance(fill_value, Number):
        options = {"shape": shape, "dtype": value.dtype, "device": device}
        return apply("full", (fill_value,), options)
    if value.ndim:
        raise problem(ShapeError, "full", "a number or a 0-d tensor as fill_value", f"shape {value.shape}")
    return apply("broadcast_to", (value,), {"shape": shape})


def full_like(
    x: Tensor, /, fill_value: Operand, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Makes a tensor of the shape of another with one value everywhere.

    Args:
        x: gives the shape, and dtype and device by default.
        fill_value: a number, or a 0-d tensor.
        dtype: of the result.
        device: of the result.

    Returns:
        Shape of `x`.

    Raises:
        ArgumentError: an integer that the dtype cannot hold.
        ShapeError: a value with more than one element.

    Example:
        >>> import trainsmith as ts
        >>> ts.full_like(ts.ones(2), 7).tolist()
        [7.0, 7.0]
    """
    return full(x.shape, fill_value, dtype=as_dtype(dtype) or x.dtype, device=device or x.device)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    endpoint: builtins.bool = True,
) -> Tensor:
    """Divides an interval evenly.

    start + i (stop - start) / (num - 1), or / num without the endpoint.

    Args:
        start: the first number.
        stop: the last number, or the one after it without the endpoint.
        num: how many, at least 0.
        dtype: float32 by default.
        device: `cpu` by default.
        endpoint: whether `stop` is one of them.

    Returns:
        Shape (num,).

    Raises:
        ArgumentError: a negative `num`.

    Example:
        >>> import trainsmith as ts
        >>> ts.linspace(0, 1, 5).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if num < 0:
        raise problem(ArgumentError, "linspace", "num of at least 0", str(num))
    numbers = np.linspace(start, stop, num, endpoint=endpoint)
    return asarray(numbers, dtype=as_dtype(dtype) or float32, device=device)


def ones(shape: Shape, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor of ones.

    Args:
        shape: sizes.
        dtype: float32 by default.
        device: `cpu` by default.

    Returns:
        The shape asked for.

    Example:
        >>> import trainsmith as ts
        >>> ts.ones(2).tolist()
        [1.0, 1.0]
    """
    return full(shape, 1, dtype=as_dtype(dtype) or float32, device=device)


def ones_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor of ones of the shape of another.

    Args:
        x: gives the shape, and dtype and device by default.
        dtype: of the result.
        device: of the result.

    Returns:
        Shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.ones_like(ts.asarray([3, 4])).tolist()
        [1, 1]
    """
    return full_like(x, 1, dtype=dtype, device=device)


def zeros(shape: Shape, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor of zeros.

    Args:
        shape: sizes.
        dtype: float32 by default.
        device: `cpu` by default.

    Returns:
        The shape asked for.

    Example:
        >>> import trainsmith as ts
        >>> ts.zeros(2).tolist()
        [0.0, 0.0]
    """
    return full(shape, 0, dtype=as_dtype(dtype) or float32, device=device)


def zeros_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Makes a tensor of zeros of the shape of another.

    Args:
        x: gives the shape, and dtype and device by default.
        dtype: of the result.
        device: of the result.

    Returns:
        Shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.zeros_like(ts.asarray([3, 4])).tolist()
        [0, 0]
    """
    return full_like(x, 0, dtype=dtype, device=device)
