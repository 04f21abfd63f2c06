"""Functions that pick elements by position or by truth."""

import numpy as np

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._exchange import words
from trainsmith._problem import problem
from trainsmith._typing import Operand
from trainsmith.errors import ArgumentError, ShapeError


def masked_fill(x: Operand, mask: Operand, value: Operand, /) -> Tensor:
    """Replaces the elements where a mask is true.

    Args:
        x: any shape and dtype.
        mask: bools whose shape broadcasts with that of `x`.
        value: a number or a 0-d tensor.

    Returns:
        The common shape; the common dtype of `x` and `value`.

    Raises:
        DTypeError: a mask that is not bool.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.masked_fill(ts.asarray([1, 2, 3]), ts.asarray([True, False, True]), 0).tolist()
        [0, 2, 0]
    """
    return apply("where", (mask, value, x))


def nonzero(x: Operand, /) -> tuple[Tensor, ...]:
    """Gives the positions of the elements that are not 0, in row-major order.

    The host reads the elements, so this does not work inside a compiled function.

    Args:
        x: at least one axis, any dtype.

    Returns:
        int64 positions of shape (n,), one tensor for each axis.

    Raises:
        GraphError: inside a compiled function.
        ShapeError: a 0-d tensor.

    Example:
        >>> import trainsmith as ts
        >>> [p.tolist() for p in ts.nonzero(ts.asarray([[0, 1], [1, 0]]))]
        [[0, 1], [1, 0]]
    """
    tensor = asarray(x)
    if tensor.ndim == 0:
        raise problem(ShapeError, "nonzero", "a tensor with at least one axis; reshape it to (1,)", "shape ()")
    return tuple(_core.from_bytes(p.tobytes(), p.shape, INT64, tensor.device) for p in np.nonzero(words(truth(tensor))))


def truth(x: Tensor) -> Tensor:
    """Says where elements are not 0."""
    return apply("not_equal", (x.detach(), 0))


INT64 = _core.dtype("int64")


def take(x: Operand, indices: Operand, /, *, axis: int | None = None) -> Tensor:
    """Picks positions along an axis.

    Args:
        x: at least one axis, any dtype.
        indices: integers of any shape, negative ones counted from the end.
        axis: along which; needed unless there is just one.

    Returns:
        The axis replaced by those of `indices`.

    Raises:
        ArgumentError: no axis for several.
        DTypeError: indices that are no integers.
        IndexRangeError: an index or axis out of range.

    Example:
        >>> import trainsmith as ts
        >>> ts.take(ts.asarray([10, 20, 30]), ts.asarray([2, 0, -1])).tolist()
        [30, 10, 30]
    """
    tensor = asarray(x)
    if axis is None and tensor.ndim != 1:
        raise problem(ArgumentError, "take", f"axis, for a tensor with {tensor.ndim} axes", "None")
    return apply("take", (tensor, asarray(indices, device=tensor.device)), {"axis": axis})


def take_along_axis(x: Operand, indices: Operand, /, *, axis: int = -1) -> Tensor:
    """Picks, for each line along an axis, positions of its own.

    y[i, j, k] = x[i, indices[i, j, k], k] along axis 1.

    Args:
        x: at least one axis, any dtype.
        indices: integers with as many axes; sizes are those of `x`, or 1, but for the axis.
        axis: along which.

    Returns:
        Shape of `x` with the axis of `indices`.

    Raises:
        DTypeError: indices that are no integers.
        IndexRangeError: an index or axis out of range.
        ShapeError: indices of another shape.

    Example:
        >>> import trainsmith as ts
        >>> ts.take_along_axis(ts.asarray([[3, 1], [2, 4]]), ts.asarray([[1], [0]]), axis=1).tolist()
        [[1], [2]]
    """
    return apply("take_along_axis", (x, indices), {"axis": axis})
