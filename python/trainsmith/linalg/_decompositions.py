"""Orthogonal decompositions, and what follows from singular values.

None of these has a derivative; on a tensor that requires one they raise.
"""

from typing import Literal, NamedTuple

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import finfo, int64
from trainsmith._linear import matmul, matrix_transpose
from trainsmith._problem import problem
from trainsmith._reduction import count_nonzero
from trainsmith._reduction import max as largest
from trainsmith._typing import Operand
from trainsmith.errors import ArgumentError


class Eigh(NamedTuple):
    """Eigenvalues, and eigenvectors in columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QR(NamedTuple):
    """An orthogonal and an upper triangular factor."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """Left singular vectors in columns, singular values, right singular vectors in rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def eigh(x: Operand, /) -> Eigh:
    """Gives the eigenvalues and eigenvectors of symmetric matrices.

    V diag(w) Vᵀ = x

    Args:
        x: shape (..., n, n), float32 or float64; only the lower triangle is read.

    Returns:
        Rising `eigenvalues` of shape (..., n), and `eigenvectors` of shape (..., n, n), each of length 1, its largest
        element positive.

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.eigh(ts.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.tolist()
        [1.0, 2.0]

    Source: G. Golub and C. Van Loan, Matrix Computations, 4th edition, section 8.3.
    """
    return Eigh(*apply("eigh", (x,)))


def eigvalsh(x: Operand, /) -> Tensor:
    """Gives the eigenvalues of symmetric matrices.

    Args:
        x: shape (..., n, n), float32 or float64; only the lower triangle is read.

    Returns:
        Rising, shape (..., n).

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: matrices that are not square.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.eigvalsh(ts.asarray([[2.0, 0.0], [0.0, 1.0]])).tolist()
        [1.0, 2.0]
    """
    return eigh(x).eigenvalues


def matrix_rank(x: Operand, /, *, rtol: float | Operand | None = None) -> Tensor:
    """Counts the singular values of matrices that are not small.

    Args:
        x: shape (..., n, m), float32 or float64.
        rtol: a singular value counts where it is larger than `rtol` times the largest; max(n, m) times the dtype's eps
            by default. A tensor broadcasts with shape (...).

    Returns:
        int64, shape (...).

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> int(ts.linalg.matrix_rank(ts.ones((3, 2))))
        1
    """
    tensor = asarray(x)
    values = svdvals(tensor)
    if values.shape[-1] == 0:
        return apply("full", (0,), {"shape": values.shape[:-1], "dtype": int64, "device": tensor.device})
    return count_nonzero(apply("greater", (values, _bound(tensor, values, rtol))), axis=-1)


def _bound(x: Tensor, values: Tensor, rtol: float | Operand | None) -> Tensor:
    """What a singular value must exceed, with an axis of size 1 for the values."""
    if rtol is None:
        rtol = max(x.shape[-2:]) * finfo(values).eps
    share = asarray(rtol, dtype=values.dtype, device=x.device)
    return apply("expand_dims", (largest(values, axis=-1) * share,), {"axis": -1})


def pinv(x: Operand, /, *, rtol: float | Operand | None = None) -> Tensor:
    """Gives the pseudo-inverse of matrices.

    V diag(1 / s) Uᵀ over the singular values s that are not small.

    Args:
        x: shape (..., n, m), float32 or float64.
        rtol: singular values up to `rtol` times the largest count as 0; max(n, m) times the dtype's eps by default. A
            tensor broadcasts with shape (...).

    Returns:
        Shape (..., m, n).

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.pinv(ts.asarray([[2.0, 0.0], [0.0, 0.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.0]]
    """
    tensor = asarray(x)
    u, s, vh = svd(tensor, full_matrices=False)
    if s.shape[-1] == 0:
        return matmul(matrix_transpose(vh), matrix_transpose(u))
    kept = apply("greater", (s, _bound(tensor, s, rtol)))
    inverse = apply("where", (kept, 1 / apply("where", (kept, s, 1)), 0))
    rows = matrix_transpose(vh) * apply("expand_dims", (inverse,), {"axis": -2})
    return matmul(rows, matrix_transpose(u))


def qr(x: Operand, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QR:
    """Splits matrices into an orthogonal and an upper triangular factor.

    Q R = x, Qᵀ Q = I; no diagonal element of R is negative.

    Args:
        x: shape (..., n, m), float32 or float64.
        mode: `reduced` gives min(n, m) columns of Q, `complete` all n.

    Returns:
        `Q` of shape (..., n, k), and `R` of shape (..., k, m).

    Raises:
        ArgumentError: another mode.
        GraphError: a tensor that requires a gradient.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> q, r = ts.linalg.qr(ts.asarray([[0.0, 1.0], [2.0, 3.0]]))
        >>> r.tolist()
        [[2.0, 3.0], [0.0, 1.0]]

    Source: G. Golub and C. Van Loan, Matrix Computations, 4th edition, algorithm 5.2.1.
    """
    if mode not in ("reduced", "complete"):
        raise problem(ArgumentError, "qr", "mode reduced or complete", repr(mode))
    return QR(*apply("qr", (x,), {"full": mode == "complete"}))


def svd(x: Operand, /, *, full_matrices: bool = True) -> SVD:
    """Gives the singular values and vectors of matrices.

    U diag(S) Vh = x

    Args:
        x: shape (..., n, m), float32 or float64.
        full_matrices: whether U and Vh are square, or have min(n, m) columns and rows.

    Returns:
        `U` of shape (..., n, n), falling `S` of shape (..., min(n, m)), and `Vh` of shape (..., m, m). The largest
        element of each column of U is positive.

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.svd(ts.asarray([[3.0, 0.0], [0.0, 4.0]])).S.tolist()
        [4.0, 3.0]

    Source: G. Golub and C. Van Loan, Matrix Computations, 4th edition, section 8.6.3.
    """
    return SVD(*apply("svd", (x,), {"full": full_matrices}))


def svdvals(x: Operand, /) -> Tensor:
    """Gives the singular values of matrices.

    Args:
        x: shape (..., n, m), float32 or float64.

    Returns:
        Falling, shape (..., min(n, m)).

    Raises:
        GraphError: a tensor that requires a gradient.
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.linalg.svdvals(ts.asarray([[3.0, 0.0], [0.0, 4.0]])).tolist()
        [4.0, 3.0]
    """
    return svd(x, full_matrices=False).S
