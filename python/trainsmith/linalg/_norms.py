"""Lengths of vectors and matrices."""

from math import inf
from typing import Literal

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import float32
from trainsmith._magnitude import abs as size_of
from trainsmith._problem import problem
from trainsmith._reduction import max as largest
from trainsmith._reduction import min as smallest
from trainsmith._reduction import sum as total
from trainsmith._typing import Axes, Operand
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.linalg._decompositions import svdvals


def matrix_norm(x: Operand, /, *, keepdims: bool = False, ord: float | Literal["fro", "nuc"] | None = "fro") -> Tensor:
    """Gives a norm of matrices.

    `fro` √Σᵢⱼ xᵢⱼ², `nuc` the sum of the singular values, 2 and -2 the largest and smallest of them, 1 and -1 the
    largest and smallest sum of sizes down a column, inf and -inf along a row.

    Args:
        x: shape (..., n, m), floating; integers become float32.
        keepdims: whether the two axes stay, with size 1.
        ord: which norm. The derivative of `nuc`, 2 and -2 is not defined here.

    Returns:
        Shape (...).

    Raises:
        ArgumentError: another `ord`.
        GraphError: a norm without a derivative of a tensor that requires one.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.linalg.matrix_norm(ts.asarray([[3.0, 0.0], [4.0, 0.0]])))
        5.0
    """
    tensor = _floating(x)
    if tensor.ndim < 2:
        raise problem(ShapeError, "matrix_norm", "matrices, that is at least two axes", f"shape {tensor.shape}")
    if ord is None or ord == "fro":
        return vector_norm(tensor, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, inf, -inf):
        columns = ord in (1, -1)
        sums = total(size_of(tensor), axis=-2 if columns else -1, keepdims=True)
        pick = largest if ord > 0 else smallest
        return pick(sums, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 2, -2):
        raise problem(ArgumentError, "matrix_norm", "ord fro, nuc, 1, -1, 2, -2, inf or -inf", repr(ord))
    values = svdvals(tensor)
    fold = total if ord == "nuc" else largest if ord == 2 else smallest
    norm = fold(values, axis=-1)
    return apply("reshape", (norm,), {"shape": (*norm.shape, 1, 1)}) if keepdims else norm


def vector_norm(x: Operand, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Gives the length of vectors.

    (Σᵢ |xᵢ|ᵖ)^(1/p) with p = `ord`; inf and -inf give the largest and smallest size, 0 the number of elements that are
    not 0. The derivative of the Euclidean length at the zero vector is 0.

    Args:
        x: any shape, floating; integers become float32.
        axis: of the vectors; several axes count as one, None takes all.
        keepdims: whether the axes stay, with size 1.
        ord: the power.

    Returns:
        The other axes.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.linalg.vector_norm(ts.asarray([3.0, 4.0])))
        5.0
    """
    tensor = _floating(x)
    if ord == 0:
        differs = apply("astype", (apply("not_equal", (tensor, 0)),), {"dtype": tensor.dtype})
        return total(differs, axis=axis, keepdims=keepdims)
    if ord == 2:
        squares = total(tensor * tensor, axis=axis, keepdims=keepdims)
        nothing = apply("equal", (squares, 0))
        return apply("where", (nothing, 0, apply("sqrt", (apply("where", (nothing, 1, squares)),))))
    sizes = size_of(tensor)
    if ord == inf:
        return largest(sizes, axis=axis, keepdims=keepdims)
    if ord == -inf:
        return smallest(sizes, axis=axis, keepdims=keepdims)
    if ord == 1:
        return total(sizes, axis=axis, keepdims=keepdims)
    return total(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _floating(x: Operand) -> Tensor:
    tensor = asarray(x)
    return tensor if tensor.dtype.is_floating else apply("astype", (tensor,), {"dtype": float32})
