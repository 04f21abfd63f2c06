"""Functions that put elements in order."""

from typing import Literal, NamedTuple

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._picking import take
from trainsmith._problem import problem
from trainsmith._typing import Operand
from trainsmith.errors import DTypeError


class TopK(NamedTuple):
    """The largest or smallest elements, and where they were."""

    values: Tensor
    indices: Tensor


def argsort(x: Operand, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Gives the positions that sort a tensor along an axis.

    Args:
        x: at least one axis, any dtype; a NaN counts as larger than any number.
        axis: along which.
        descending: from the largest to the smallest.
        stable: whether equal elements keep their order; they always do.

    Returns:
        int64 positions of the shape of `x`.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.argsort(ts.asarray([3, 1, 2]), descending=True).tolist()
        [0, 2, 1]
    """
    return apply("argsort", (x,), {"axis": axis, "descending": descending})


def searchsorted(
    x1: Operand, x2: Operand, /, *, side: Literal["left", "right"] = "left", sorter: Operand | None = None
) -> Tensor:
    """Finds where values belong in a sorted line.

    i with x1[i - 1] < v <= x1[i] on the left, and x1[i - 1] <= v < x1[i] on the right.

    Args:
        x1: the line, shape (n,), rising.
        x2: the values, any shape; the dtypes have a common one.
        side: of equal elements.
        sorter: positions that sort `x1`, where it is not in order.

    Returns:
        int64 positions in [0, n], of the shape of `x2`.

    Raises:
        ArgumentError: another side.
        DTypeError: dtypes without a common one, or a sorter that is not made of integers.
        ShapeError: a line with another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.searchsorted(ts.asarray([1, 3, 5]), ts.asarray([3, 6]), side="right").tolist()
        [2, 3]
    """
    line = asarray(x1)
    if sorter is not None:
        order = asarray(sorter, device=line.device)
        if not order.dtype.is_integer:
            raise problem(DTypeError, "searchsorted", "a sorter of integers, such as argsort(x1)", str(order.dtype))
        line = take(line, order)
    return apply("searchsorted", (line, x2), {"side": side})


def sort(x: Operand, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Sorts a tensor along an axis.

    The derivative goes back to the position that each element came from.

    Args:
        x: at least one axis, any dtype; a NaN counts as larger than any number.
        axis: along which.
        descending: from the largest to the smallest.
        stable: whether equal elements keep their order; they always do.

    Returns:
        Shape and dtype of `x`.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.sort(ts.asarray([[3, 1], [2, 4]]), axis=0).tolist()
        [[2, 1], [3, 4]]
    """
    return apply("sort", (x,), {"axis": axis, "descending": descending})


def topk(x: Operand, /, k: int, *, axis: int = -1, largest: bool = True) -> TopK:
    """Gives the largest or smallest elements along an axis, in order.

    Args:
        x: at least one axis, any dtype; a NaN counts as larger than any number.
        k: how many, at most the size of the axis.
        axis: along which.
        largest: whether the largest are wanted.

    Returns:
        `values` and their int64 `indices`, with size `k` along the axis.

    Raises:
        ArgumentError: a `k` out of range.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> values, indices = ts.topk(ts.asarray([3, 1, 2]), 2)
        >>> values.tolist(), indices.tolist()
        ([3, 2], [0, 2])
    """
    return TopK(*apply("topk", (x,), {"k": k, "axis": axis, "largest": largest}))
