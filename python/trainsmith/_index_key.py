"""What an index expression means: which part of each axis, which axes come and go, which elements are gathered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from operator import index
from types import EllipsisType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._dtypes import bool as truth
from trainsmith._exchange import words
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, DTypeError, GraphError, IndexRangeError

_OP = "index"

Positions = npt.NDArray[np.int64] | Tensor
"""Integers: on the host where it may read them, else a tensor of a compiled function."""


@dataclass(slots=True)
class Gathered:
    """Positions along an axis of what the slices leave.

    Args:
        axis: the axis.
        size: its size.
        positions: integers of any shape; those on the host are checked.
    """

    axis: int
    size: int
    positions: Positions


@dataclass(slots=True)
class Key:
    """An index expression, taken apart.

    Args:
        starts: of the slice of each axis of the tensor.
        sizes: likewise.
        steps: likewise; may be negative.
        shape: of the slice after integers took axes out, None put axes in and masks joined theirs.
        gathered: positions to gather then, from left to right.
        places: where in the expression integers and positions stand.
    """

    starts: list[int] = field(default_factory=list[int])
    sizes: list[int] = field(default_factory=list[int])
    steps: list[int] = field(default_factory=list[int])
    shape: list[int] = field(default_factory=list[int])
    gathered: list[Gathered] = field(default_factory=list[Gathered])
    places: list[int] = field(default_factory=list[int])

    def slice(self, start: int, size: int, step: int = 1) -> None:
        """Notes the part of the next axis."""
        self.starts.append(start)
        self.sizes.append(size)
        self.steps.append(step)

    @property
    def adjacent(self) -> bool:
        """Whether nothing stands between the integers and positions."""
        return self.places[-1] - self.places[0] + 1 == len(self.places)


def parse(shape: tuple[int, ...], expression: object) -> Key:
    """Takes an index expression apart, as NumPy would read it.

    Args:
        shape: of the tensor.
        expression: what stands between the brackets.

    Returns:
        The key.

    Raises:
        ArgumentError: a slice with step 0.
        DTypeError: an index that is neither integer nor bool.
        GraphError: a mask inside a compiled function.
        IndexRangeError: an index out of range, a mask of another shape, or more indices than axes.
    """
    items = list(cast(tuple[object, ...], expression)) if isinstance(expression, tuple) else [expression]
    parts = [_understood(item) for item in items]
    used = sum(_axes(part) for part in parts)
    ellipses = [place for place, part in enumerate(parts) if part is Ellipsis]
    if used > len(shape) or len(ellipses) > 1:
        rule = f"at most {len(shape)} indices and one ellipsis for a tensor of shape {shape}"
        raise problem(IndexRangeError, _OP, rule, f"{used} and {len(ellipses)}")
    if not ellipses:
        parts.append(Ellipsis)
    key = Key()
    for place, part in enumerate(parts):
        axis = len(key.starts)
        if isinstance(part, EllipsisType):
            for size in shape[axis : axis + len(shape) - used]:
                key.slice(0, size)
                key.shape.append(size)
        elif part is None:
            key.shape.append(1)
        elif isinstance(part, int):
            key.slice(_in_range(part, axis, shape[axis]), 1)
            key.places.append(place)
        elif isinstance(part, slice):
            _add_slice(key, part, shape[axis])
        else:
            _add_positions(key, part, shape[axis : axis + _axes(part)], axis)
            key.places.append(place)
    return key


Part = int | slice | EllipsisType | npt.NDArray[Any] | Tensor | None


def _understood(item: object) -> Part:
    """An integer, a slice, None, an ellipsis, or positions; masks become arrays of the host."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return cast(Part, item)
    if isinstance(item, Tensor):
        if item.dtype == truth:
            return words(item)
        if not item.dtype.is_integer:
            raise _no_index(f"a {item.dtype} tensor")
        return _on_host(item)
    if isinstance(item, bool | list | tuple) or hasattr(item, "__array__"):
        return _array(cast(object, item))
    try:
        return index(cast(Any, item))
    except TypeError:
        raise _no_index(type(item).__name__) from None


def _array(item: object) -> Part:
    if isinstance(item, list | tuple):
        tensor = asarray(cast(Sequence[object], item))
        if tensor.size == 0:
            return np.zeros(tensor.shape, np.int64)
        return _understood(tensor)
    array = np.asarray(item)
    if array.dtype.kind not in "biu":
        raise _no_index(f"{array.dtype} data")
    if array.dtype.kind == "b":
        return array
    return int(array) if array.ndim == 0 else array.astype(np.int64)


def _on_host(positions: Tensor) -> Part:
    try:
        array = words(positions).astype(np.int64)
    except GraphError:
        return positions
    return array if array.ndim else int(array)


def _no_index(got: str) -> DTypeError:
    rule = "integers, slices, None, an ellipsis, or arrays of integers or bools; convert with astype first"
    return problem(DTypeError, _OP, rule, got)


def _axes(part: Part) -> int:
    """How many axes of the tensor an index speaks of."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def _in_range(position: int, axis: int, size: int) -> int:
    if not -size <= position < size:
        rule = f"an index in [{-size}, {size}) on axis {axis} of size {size}"
        raise problem(IndexRangeError, _OP, rule, str(position))
    return position % size


def _add_slice(key: Key, part: slice, size: int) -> None:
    try:
        start, stop, step = part.indices(size)
    except ValueError as error:
        raise problem(ArgumentError, _OP, "a slice with a step other than 0", str(part)) from error
    count = len(range(start, stop, step))
    key.slice(start if count else 0, count, step)
    key.shape.append(count)


def _add_positions(key: Key, part: npt.NDArray[Any] | Tensor, sizes: tuple[int, ...], axis: int) -> None:
    for size in sizes:
        key.slice(0, size)
    size = prod(sizes)
    if isinstance(part, np.ndarray):
        if part.dtype.kind == "b":
            if any(given not in (wanted, 0) for given, wanted in zip(part.shape, sizes)):
                rule = f"a mask of shape {sizes} for axes {axis} to {axis + len(sizes) - 1}"
                raise problem(IndexRangeError, _OP, rule, f"shape {part.shape}")
            part = np.flatnonzero(part)
        outside = part[(part < -size) | (part >= size)]
        if outside.size:
            _in_range(int(outside[0]), axis, size)
    key.gathered.append(Gathered(len(key.shape), size, part))
    key.shape.append(size)
