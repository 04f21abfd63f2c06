"""Systems of equations, determinants, powers. All have derivatives."""

from typing import NamedTuple

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._grids import eye
from trainsmith._linear import matmul, matrix_transpose
from trainsmith._manipulation import broadcast_to
from trainsmith._problem import problem
from trainsmith._typing import Operand
from trainsmith.errors import ShapeError


class Slogdet(NamedTuple):
    """Sign of a determinant, and logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


def cholesky(x: Operand, /, *, upper: bool = False) -> Tensor:
    """Gives the triangular factor of symmetric positive definite matrices.

    L Lᵀ = x, or Uᵀ U = x with `upper`. Where `x` is not quite symmetric, its symmetric part is taken.

    Args:
        x: shape (..., n, n), float32 or float64.
        upper: whether the upper factor is wanted.

    Returns:
        Shape and dtype of `x`, with a positive diagonal.

    Raises:
        ArgumentError: a matrix that is not positive definite.
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.cholesky(ts.asarray([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]

    Source: derivative by I. Murray, Differentiation of the Cholesky decomposition, 2016, equation 10.
    """
    lower = apply("cholesky", (x,))
    return matrix_transpose(lower) if upper else lower


def det(x: Operand, /) -> Tensor:
    """Gives the determinants of matrices.

    Args:
        x: shape (..., n, n), float32 or float64.

    Returns:
        Shape (...). The derivative needs matrices that have an inverse.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.linalg.det(ts.asarray([[0.0, 2.0], [3.0, 0.0]])))
        -6.0
    """
    return apply("det", (x,))


def inv(x: Operand, /) -> Tensor:
    """Gives the inverses of matrices.

    Args:
        x: shape (..., n, n), float32 or float64.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ArgumentError: a singular matrix.
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.inv(ts.asarray([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    return apply("inv", (x,))


def matrix_power(x: Operand, n: int, /) -> Tensor:
    """Raises matrices to a whole power.

    Args:
        x: shape (..., m, m), floating.
        n: the exponent; a negative one takes the inverse first.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ArgumentError: a singular matrix and a negative exponent.
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.matrix_power(ts.asarray([[1.0, 1.0], [0.0, 1.0]]), 5).tolist()
        [[1.0, 5.0], [0.0, 1.0]]
    """
    tensor = asarray(x)
    if tensor.ndim < 2 or tensor.shape[-1] != tensor.shape[-2]:
        raise problem(ShapeError, "matrix_power", "square matrices", f"shape {tensor.shape}")
    square = inv(tensor) if n < 0 else tensor
    power: Tensor | None = None
    rest = abs(n)
    while rest:
        if rest & 1:
            power = square if power is None else matmul(power, square)
        rest >>= 1
        if rest:
            square = matmul(square, square)
    if power is None:
        return broadcast_to(eye(tensor.shape[-1], dtype=tensor.dtype, device=tensor.device), tensor.shape)
    return power


def slogdet(x: Operand, /) -> Slogdet:
    """Gives the sign of determinants, and the logarithm of their size, which cannot overflow.

    det(x) = sign exp(logabsdet)

    Args:
        x: shape (..., n, n), float32 or float64.

    Returns:
        `sign`, 0 for a singular matrix, and `logabsdet`, then -inf; shape (...). The derivative needs matrices with an
        inverse.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> [float(part) for part in ts.linalg.slogdet(ts.asarray([[0.0, 1.0], [1.0, 0.0]]))]
        [-1.0, 0.0]
    """
    return Slogdet(*apply("slogdet", (x,)))


def solve(x1: Operand, x2: Operand, /) -> Tensor:
    """Solves systems of linear equations.

    y with x1 y = x2

    Args:
        x1: shape (..., n, n), float32 or float64.
        x2: shape (n,), or (..., n, k); the leading axes broadcast.

    Returns:
        Shape (..., n) or (..., n, k).

    Raises:
        ArgumentError: a singular matrix.
        ShapeError: matrices that are not square, or sizes that do not meet.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.solve(ts.asarray([[2.0, 0.0], [0.0, 4.0]]), ts.asarray([1.0, 1.0])).tolist()
        [0.5, 0.25]
    """
    return apply("solve", (x1, x2))
