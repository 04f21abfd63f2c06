"""Products of vectors, and diagonals."""

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._joining import stack, unstack
from trainsmith._manipulation import broadcast
from trainsmith._problem import problem
from trainsmith._reduction import sum as total
from trainsmith._typing import DTypeLike, Operand
from trainsmith.errors import IndexRangeError, ShapeError


def cross(x1: Operand, x2: Operand, /, *, axis: int = -1) -> Tensor:
    """Gives the cross products of vectors with 3 elements.

    y = (a₂ b₃ - a₃ b₂, a₃ b₁ - a₁ b₃, a₁ b₂ - a₂ b₁)

    Args:
        x1: size 3 along the axis.
        x2: another, whose other axes broadcast with those of `x1`.
        axis: of the vectors, counted from the end or, where both have as many axes, from the start.

    Returns:
        The common shape and dtype.

    Raises:
        IndexRangeError: an axis that one of them does not have.
        ShapeError: vectors of another size, or axes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.cross(ts.asarray([1, 0, 0]), ts.asarray([0, 1, 0])).tolist()
        [0, 0, 1]
    """
    a, b = asarray(x1), asarray(x2)
    rank = min(a.ndim, b.ndim)
    if not -rank <= axis < rank or (axis >= 0 and a.ndim != b.ndim):
        raise problem(IndexRangeError, "cross", f"an axis in [-{rank}, -1] of both tensors", str(axis))
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        rule = f"vectors of size 3 on axis {axis}"
        raise problem(ShapeError, "cross", rule, f"shapes {a.shape} and {b.shape}")
    a, b = broadcast("cross", a, b)
    (a1, a2, a3), (b1, b2, b3) = unstack(a, axis=axis), unstack(b, axis=axis)
    place = axis % a.ndim
    return stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=place)


def diagonal(x: Operand, /, *, offset: int = 0) -> Tensor:
    """Gives a diagonal of matrices.

    Args:
        x: shape (..., n, m), any dtype.
        offset: 0 the main diagonal, above it positive, below it negative.

    Returns:
        Shape (..., length of the diagonal).

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.diagonal(ts.asarray([[1, 2], [3, 4]])).tolist()
        [1, 4]
    """
    tensor = asarray(x)
    if tensor.ndim < 2:
        raise problem(ShapeError, "diagonal", "matrices, that is at least two axes", f"shape {tensor.shape}")
    *batch, rows, columns = tensor.shape
    length = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    first = (offset if offset >= 0 else -offset * columns) if length else 0
    flat = apply("reshape", (tensor,), {"shape": (*batch, rows * columns)})
    starts, steps = (0,) * len(batch) + (first,), (1,) * len(batch) + (columns + 1,)
    return apply("slice", (flat,), {"starts": starts, "sizes": (*batch, length), "steps": steps})


def outer(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the product of each element of one vector with each of another.

    y[i, j] = x1[i] x2[j]

    Args:
        x1: shape (n,).
        x2: shape (m,).

    Returns:
        Shape (n, m); the common dtype.

    Raises:
        ShapeError: operands with another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.outer(ts.asarray([1, 2]), ts.asarray([3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    a, b = asarray(x1), asarray(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise problem(ShapeError, "outer", "two vectors, that is one axis each", f"shapes {a.shape} and {b.shape}")
    return apply("expand_dims", (a,), {"axis": 1}) * b


def trace(x: Operand, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Sums a diagonal of matrices.

    Σᵢ x[..., i, i + offset]

    Args:
        x: shape (..., n, m).
        offset: 0 the main diagonal, above it positive, below it negative.
        dtype: to add in; by default the dtype of `x`, with 64 bits for integers and bools.

    Returns:
        Shape (...).

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> int(ts.linalg.trace(ts.asarray([[1, 2], [3, 4]])))
        5
    """
    return total(diagonal(x, offset=offset), axis=-1, dtype=dtype)
