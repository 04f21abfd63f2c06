"""Functions that change the shape of tensors and the order of their axes and elements."""

from collections.abc import Sequence
from math import prod
from operator import index

import numpy as np

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith._typing import Axes, Operand, Shape
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError


def broadcast_arrays(*arrays: Operand) -> list[Tensor]:
    """Repeats tensors to their common shape.

    Args:
        arrays: tensors whose shapes, aligned from the right, have equal sizes or 1.

    Returns:
        One tensor for each, of the common shape and of its own dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> [x.shape for x in ts.broadcast_arrays(ts.ones((3, 1)), ts.ones(2))]
        [(3, 2), (3, 2)]
    """
    tensors = [asarray(array) for array in arrays]
    shape = common_shape("broadcast_arrays", [tensor.shape for tensor in tensors])
    return [apply("broadcast_to", (tensor,), {"shape": shape}) for tensor in tensors]


def broadcast(op: str, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Repeats two operands of a function to their common shape."""
    shape = {"shape": common_shape(op, (x1.shape, x2.shape))}
    return apply("broadcast_to", (x1,), shape), apply("broadcast_to", (x2,), shape)


def common_shape(op: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Gives the shape that broadcasting gives."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        rule = "shapes that broadcast: aligned from the right, sizes equal or 1"
        raise problem(ShapeError, op, rule, " and ".join(map(str, shapes))) from error


def broadcast_to(x: Operand, /, shape: Shape) -> Tensor:
    """Repeats axes of size 1, and adds leading axes.

    Args:
        x: any shape and dtype.
        shape: of the result; `x.shape`, aligned from the right, has its sizes or 1.

    Returns:
        The shape asked for.

    Raises:
        ShapeError: a shape that `x` does not broadcast to.

    Example:
        >>> import trainsmith as ts
        >>> ts.broadcast_to(ts.asarray([1, 2]), (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    return apply("broadcast_to", (x,), {"shape": shape})


def expand_dims(x: Operand, /, axis: int = 0) -> Tensor:
    """Puts in an axis of size 1.

    Args:
        x: any shape and dtype.
        axis: its place in the result.

    Returns:
        One axis more than `x`.

    Raises:
        IndexRangeError: a place that the result does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.expand_dims(ts.ones(3), axis=1).shape
        (3, 1)
    """
    return apply("expand_dims", (x,), {"axis": axis})


def flatten(x: Operand, /, start_axis: int = 0, end_axis: int = -1) -> Tensor:
    """Joins neighbouring axes into one.

    Args:
        x: any shape and dtype.
        start_axis: the first of them.
        end_axis: the last of them.

    Returns:
        The same elements in row-major order; a 0-d tensor becomes one with one element.

    Raises:
        ArgumentError: `end_axis` before `start_axis`.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.flatten(ts.ones((2, 3, 4)), 1).shape
        (2, 12)
    """
    tensor = asarray(x)
    rank = max(tensor.ndim, 1)
    first, last = axis_of("flatten", start_axis, rank), axis_of("flatten", end_axis, rank)
    if last < first:
        rule = "start_axis not behind end_axis"
        raise problem(ArgumentError, "flatten", rule, f"{start_axis} and {end_axis}")
    sizes = tensor.shape
    joined = prod(sizes[first : last + 1])
    return apply("reshape", (tensor,), {"shape": (*sizes[:first], joined, *sizes[last + 1 :])})


def axis_of(op: str, axis: int, rank: int) -> int:
    """Counts a negative axis from the end."""
    if not -rank <= axis < rank:
        raise problem(IndexRangeError, op, f"an axis in [{-rank}, {rank}) of a tensor with {rank} axes", str(axis))
    return axis % rank


def integers(value: int | Sequence[int]) -> list[int]:
    """Gives one integer, or several, as a list."""
    return [index(part) for part in value] if isinstance(value, Sequence) else [index(value)]


def flip(x: Operand, /, *, axis: Axes = None) -> Tensor:
    """Reverses axes.

    Args:
        x: any shape and dtype.
        axis: axes to reverse; all by default.

    Returns:
        Shape and dtype of `x`.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.flip(ts.asarray([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    return apply("flip", (x,), {"axis": axis})


def moveaxis(x: Operand, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """Moves axes to other places; the others keep their order.

    Args:
        x: any shape and dtype.
        source: the axis, or axes, to move.
        destination: its place, or their places, in the result.

    Returns:
        The same elements under other axes.

    Raises:
        ArgumentError: an axis named twice, or as many places as axes are not given.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.moveaxis(ts.ones((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    tensor = asarray(x)
    rank = tensor.ndim
    given = [integers(axes) for axes in (source, destination)]
    sources, places = ([axis_of("moveaxis", axis, rank) for axis in axes] for axes in given)
    if len(set(sources)) != len(sources) or len(set(places)) != len(sources) or len(places) != len(sources):
        raise problem(ArgumentError, "moveaxis", "each axis once, and one place for each", f"{source} to {destination}")
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return permute_dims(tensor, order)


def permute_dims(x: Operand, /, axes: Sequence[int]) -> Tensor:
    """Puts the axes in another order.

    Args:
        x: any shape and dtype.
        axes: each axis of `x` once; axis i of the result is axis `axes[i]` of `x`.

    Returns:
        The same elements under other axes.

    Raises:
        ArgumentError: an axis left out or named twice.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.permute_dims(ts.ones((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return apply("permute_dims", (x,), {"axes": tuple(axes)})


def reshape(x: Operand, /, shape: Shape, *, copy: bool | None = None) -> Tensor:
    """Gives the same elements, in row-major order, another shape.

    Args:
        x: any shape and dtype.
        shape: sizes with the same number of elements; one may be -1: what is left over.
        copy: of no effect, as no change of one tensor shows in another.

    Returns:
        The shape asked for.

    Raises:
        ShapeError: another number of elements.

    Example:
        >>> import trainsmith as ts
        >>> ts.reshape(ts.arange(6), (2, -1)).tolist()
        [[0, 1, 2], [3, 4, 5]]
    """
    return apply("reshape", (x,), {"shape": shape})


def squeeze(x: Operand, /, axis: int | Sequence[int]) -> Tensor:
    """Takes out axes of size 1.

    Args:
        x: any shape and dtype.
        axis: the axis, or axes.

    Returns:
        As many axes less.

    Raises:
        IndexRangeError: an axis that `x` does not have.
        ShapeError: an axis whose size is not 1.

    Example:
        >>> import trainsmith as ts
        >>> ts.squeeze(ts.ones((1, 3, 1)), axis=0).shape
        (3, 1)
    """
    return apply("squeeze", (x,), {"axis": axis})
