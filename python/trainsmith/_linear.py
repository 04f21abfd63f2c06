"""Products of vectors and matrices."""

from collections.abc import Sequence
from math import prod

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._manipulation import broadcast, moveaxis
from trainsmith._problem import problem
from trainsmith._typing import Operand
from trainsmith.errors import IndexRangeError, ShapeError


def einsum(equation: str, /, *operands: Operand) -> Tensor:
    """Sums products of elements over axes that are named by letters.

    `ij,jk->ik` is y[i, k] = Σⱼ a[i, j] b[j, k]. A letter that stands twice in one operand takes its diagonal. Letters
    that the result does not name are summed; without `->` it names those that occur once, in the order of the alphabet.

    Args:
        equation: a group of letters for each operand, separated by commas, then `->` and those of the result. Spaces
            do not matter.
        operands: tensors with as many axes as letters; axes of one letter have one size, or 1, which is repeated.
            They are multiplied from left to right.

    Returns:
        The axes that the result names; the common dtype.

    Raises:
        ArgumentError: an equation that does not fit this form or the number of operands.
        DTypeError: bools, or dtypes without a common one.
        ShapeError: sizes that differ, or another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.asarray([[1, 2], [3, 4]])
        >>> ts.einsum("ij,kj->ik", x, x).tolist(), int(ts.einsum("ii", x))
        ([[5, 11], [11, 25]], 5)
    """
    return apply("einsum", operands, {"equation": equation})


def matmul(x1: Operand, x2: Operand, /) -> Tensor:
    """Multiplies matrices.

    y[..., i, j] = Σₖ x1[..., i, k] x2[..., k, j]; a vector counts as a row on the left and as a column on the right.

    Args:
        x1: shape (k,) or (..., n, k).
        x2: shape (k,) or (..., k, m); the leading axes broadcast.

    Returns:
        Shape (..., n, m), without n or m for a vector on that side.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: a 0-d tensor, inner sizes that differ, or leading axes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.matmul(ts.asarray([[1, 2], [3, 4]]), ts.asarray([1, 10])).tolist()
        [21, 43]
    """
    return apply("matmul", (x1, x2))


def matrix_transpose(x: Operand, /) -> Tensor:
    """Swaps the last two axes.

    Args:
        x: shape (..., n, m).

    Returns:
        Shape (..., m, n).

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.matrix_transpose(ts.zeros((2, 3))).shape
        (3, 2)
    """
    return apply("matrix_transpose", (x,))


def tensordot(x1: Operand, x2: Operand, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sums products over chosen axes of two tensors.

    Args:
        x1: a tensor.
        x2: another.
        axes: how many last axes of `x1` meet first axes of `x2`, or the axes of each, in order.

    Returns:
        The axes of `x1` that are left, then those of `x2`.

    Raises:
        IndexRangeError: axes that a tensor does not have.
        ShapeError: sizes that do not meet.

    Example:
        >>> import trainsmith as ts
        >>> ts.tensordot(ts.ones((2, 3, 4)), ts.ones((3, 4, 5))).shape
        (2, 5)
    """
    a, b = asarray(x1), asarray(x2)
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = list(axes[0]), list(axes[1])
    left, right = _places(left, a.ndim), _places(right, b.ndim)
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        rule = "axes of equal sizes; name them with axes=(of x1, of x2)"
        raise problem(ShapeError, "tensordot", rule, f"axes {left} of {a.shape} and {right} of {b.shape}")
    free_a = [i for i in range(a.ndim) if i not in left]
    free_b = [i for i in range(b.ndim) if i not in right]
    rows, columns = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    inner = prod(a.shape[i] for i in left)
    lhs = apply("reshape", (apply("permute_dims", (a,), {"axes": (*free_a, *left)}),), {"shape": (prod(rows), inner)})
    rhs = apply(
        "reshape", (apply("permute_dims", (b,), {"axes": (*right, *free_b)}),), {"shape": (inner, prod(columns))}
    )
    return apply("reshape", (matmul(lhs, rhs),), {"shape": (*rows, *columns)})


def _places(axes: Sequence[int], rank: int) -> list[int]:
    if not all(-rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) != len(axes):
        raise problem(IndexRangeError, "tensordot", f"different axes in [{-rank}, {rank})", str(list(axes)))
    return [axis % rank for axis in axes]


def vecdot(x1: Operand, x2: Operand, /, *, axis: int = -1) -> Tensor:
    """Gives the dot products of vectors along an axis.

    Σᵢ x1[..., i] x2[..., i]

    Args:
        x1: at least one axis.
        x2: another, whose other axes broadcast with those of `x1`.
        axis: of the vectors, negative: counted from the end.

    Returns:
        The common shape without the axis.

    Raises:
        IndexRangeError: an axis that one of them does not have.
        ShapeError: vectors of different lengths, or axes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.vecdot(ts.asarray([[1, 2], [3, 4]]), ts.asarray([1, 10])).tolist()
        [21, 43]
    """
    a, b = asarray(x1), asarray(x2)
    rank = min(a.ndim, b.ndim)
    if not -rank <= axis < 0:
        raise problem(IndexRangeError, "vecdot", f"an axis in [{-rank}, -1]", str(axis))
    if a.shape[axis] != b.shape[axis]:
        raise problem(ShapeError, "vecdot", f"vectors of one length on axis {axis}", f"{a.shape} and {b.shape}")
    a, b = broadcast("vecdot", moveaxis(a, axis, -1), moveaxis(b, axis, -1))
    row, column = apply("expand_dims", (a,), {"axis": -2}), apply("expand_dims", (b,), {"axis": -1})
    return apply("squeeze", (matmul(row, column),), {"axis": (-2, -1)})
