"""Functions that join, split and repeat tensors."""

from collections.abc import Sequence

import numpy as np

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._manipulation import axis_of, integers
from trainsmith._problem import problem
from trainsmith._typing import Axes, Operand
from trainsmith.errors import ArgumentError, ShapeError


def concat(arrays: Sequence[Operand], /, *, axis: int | None = 0) -> Tensor:
    """Joins tensors along an axis.

    Args:
        arrays: at least one tensor; shapes are equal but for the axis.
        axis: along which; None flattens them first.

    Returns:
        The common dtype.

    Raises:
        ArgumentError: no tensor.
        DTypeError: dtypes without a common one.
        IndexRangeError: an axis that they do not have.
        ShapeError: shapes that differ elsewhere.

    Example:
        >>> import trainsmith as ts
        >>> ts.concat([ts.asarray([1, 2]), ts.asarray([3])]).tolist()
        [1, 2, 3]
    """
    return apply("concat", tuple(arrays), {"flatten": True} if axis is None else {"axis": axis})


def repeat(x: Operand, repeats: int | Operand, /, *, axis: int | None = None) -> Tensor:
    """Repeats each element next to itself.

    Args:
        x: any shape and dtype.
        repeats: how often, at least 0, or how often each position along the axis, as integers of shape (n,); these are
            read by the host.
        axis: along which; None flattens `x` first.

    Returns:
        Shape of `x`, longer along the axis.

    Raises:
        ArgumentError: a negative number, or as many numbers as positions are not given.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.repeat(ts.asarray([1, 2]), 2).tolist(), ts.repeat(ts.asarray([1, 2]), [0, 3]).tolist()
        ([1, 1, 2, 2], [2, 2, 2])
    """
    tensor = asarray(x)
    if axis is None:
        tensor, axis = apply("reshape", (tensor,), {"shape": (-1,)}), 0
    place = axis_of("repeat", axis, tensor.ndim)
    shape = tensor.shape
    before, size, after = shape[:place], shape[place], shape[place + 1 :]
    if isinstance(repeats, int):
        if repeats < 0:
            raise problem(ArgumentError, "repeat", "repeats of at least 0", str(repeats))
        column = apply("reshape", (tensor,), {"shape": (*before, size, 1, *after)})
        wide = apply("broadcast_to", (column,), {"shape": (*before, size, repeats, *after)})
        return apply("reshape", (wide,), {"shape": (*before, size * repeats, *after)})
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu" or counts.shape not in ((), (1,), (size,)) or (counts < 0).any():
        rule = f"an integer of at least 0, or one for each of {size} positions"
        raise problem(ArgumentError, "repeat", rule, f"{counts.dtype} of shape {counts.shape}")
    index = np.repeat(np.arange(size), counts)
    return apply("take", (tensor, asarray(index, device=tensor.device)), {"axis": place})


def roll(x: Operand, /, shift: int | Sequence[int], *, axis: Axes = None) -> Tensor:
    """Shifts elements along axes; those that fall off the end come in at the start.

    Args:
        x: any shape and dtype.
        shift: by how much, negative: towards the start; one number for all axes, or one for each.
        axis: the axis, or axes; None rolls the flattened tensor.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ArgumentError: as many shifts as axes are not given.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.roll(ts.asarray([1, 2, 3]), 1).tolist()
        [3, 1, 2]
    """
    tensor = asarray(x)
    if axis is None:
        flat = apply("reshape", (tensor,), {"shape": (-1,)})
        return apply("reshape", (roll(flat, shift, axis=0),), {"shape": tensor.shape})
    axes = integers(axis)
    shifts = integers(shift) if isinstance(shift, Sequence) else integers(shift) * len(axes)
    if len(shifts) != len(axes):
        raise problem(ArgumentError, "roll", "one shift, or one for each axis", f"{shifts} for axes {axes}")
    for place, by in zip(axes, shifts):
        tensor = _rolled(tensor, by, axis_of("roll", place, tensor.ndim))
    return tensor


def _rolled(x: Tensor, shift: int, axis: int) -> Tensor:
    size = x.shape[axis]
    by = shift % size if size else 0
    if by == 0:
        return x
    return apply("concat", (_part(x, axis, size - by, by), _part(x, axis, 0, size - by)), {"axis": axis})


def _part(x: Tensor, axis: int, start: int, size: int) -> Tensor:
    starts = tuple(start if a == axis else 0 for a in range(x.ndim))
    sizes = tuple(size if a == axis else full for a, full in enumerate(x.shape))
    return apply("slice", (x,), {"starts": starts, "sizes": sizes, "steps": (1,) * x.ndim})


def stack(arrays: Sequence[Operand], /, *, axis: int = 0) -> Tensor:
    """Joins tensors along a new axis.

    Args:
        arrays: at least one tensor, all of one shape.
        axis: place of the new axis in the result.

    Returns:
        One axis more; the common dtype.

    Raises:
        ArgumentError: no tensor.
        DTypeError: dtypes without a common one.
        IndexRangeError: a place that the result does not have.
        ShapeError: shapes that differ.

    Example:
        >>> import trainsmith as ts
        >>> ts.stack([ts.asarray([1, 2]), ts.asarray([3, 4])], axis=1).tolist()
        [[1, 3], [2, 4]]
    """
    tensors = [asarray(array) for array in arrays]
    shapes = {tensor.shape for tensor in tensors}
    if len(shapes) > 1:
        raise problem(ShapeError, "stack", "tensors of one shape; use concat for others", str(sorted(shapes)))
    if not tensors:
        raise problem(ArgumentError, "stack", "at least one tensor", "none")
    return apply("concat", tuple(apply("expand_dims", (tensor,), {"axis": axis}) for tensor in tensors), {"axis": axis})


def tile(x: Operand, repetitions: int | Sequence[int], /) -> Tensor:
    """Repeats a whole tensor along its axes.

    Args:
        x: any shape and dtype.
        repetitions: how often along each axis, aligned from the right with the axes of `x`.

    Returns:
        As many axes as the longer of `x.shape` and `repetitions`.

    Raises:
        ArgumentError: a negative number.

    Example:
        >>> import trainsmith as ts
        >>> ts.tile(ts.asarray([1, 2]), (2, 2)).tolist()
        [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    tensor = asarray(x)
    times = integers(repetitions)
    if any(count < 0 for count in times):
        raise problem(ArgumentError, "tile", "repetitions of at least 0", str(times))
    rank = max(tensor.ndim, len(times))
    sizes = [1] * (rank - tensor.ndim) + list(tensor.shape)
    times = [1] * (rank - len(times)) + times
    split = apply("reshape", (tensor,), {"shape": tuple(part for size in sizes for part in (1, size))})
    wide = apply("broadcast_to", (split,), {"shape": tuple(part for pair in zip(times, sizes) for part in pair)})
    return apply("reshape", (wide,), {"shape": tuple(count * size for count, size in zip(times, sizes))})


def unstack(x: Operand, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Splits a tensor along an axis into tensors without it.

    Args:
        x: at least one axis, any dtype.
        axis: along which.

    Returns:
        One tensor for each position.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> [row.tolist() for row in ts.unstack(ts.asarray([[1, 2], [3, 4]]))]
        [[1, 2], [3, 4]]
    """
    tensor = asarray(x)
    place = axis_of("unstack", axis, tensor.ndim)
    parts = (_part(tensor, place, start, 1) for start in range(tensor.shape[place]))
    return tuple(apply("squeeze", (part,), {"axis": place}) for part in parts)
