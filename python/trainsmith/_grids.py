"""Matrices that are known by their diagonal, and grids."""

from typing import Literal

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._creation import arange
from trainsmith._dtypes import as_dtype, float32
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike, Operand
from trainsmith.errors import ArgumentError, ShapeError


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Makes a matrix with ones on a diagonal and zeros elsewhere.

    Args:
        n_rows: number of rows.
        n_cols: number of columns; that of the rows by default.
        k: the diagonal: 0 the main one, above it positive, below it negative.
        dtype: float32 by default.
        device: `cpu` by default.

    Returns:
        Shape (n_rows, n_cols).

    Example:
        >>> import trainsmith as ts
        >>> ts.eye(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    columns = n_rows if n_cols is None else n_cols
    return apply("astype", (_diagonal(n_rows, columns, k, "equal", device),), {"dtype": as_dtype(dtype) or float32})


def _diagonal(rows: int, columns: int, k: int, comparison: str, device: str | None) -> Tensor:
    """Compares the column of each place with its row + k; a diagonal further off is as good as one just outside."""
    k = min(max(k, -rows), columns)
    down = apply("reshape", (arange(rows, device=device),), {"shape": (rows, 1)})
    return apply(comparison, (arange(columns, device=device), apply("add", (down, k))))


def meshgrid(*arrays: Operand, indexing: Literal["xy", "ij"] = "xy") -> list[Tensor]:
    """Spans a grid by coordinates.

    Args:
        arrays: the coordinates along each axis, shape (n,) each.
        indexing: `ij` takes axes in order; `xy` swaps the first two, as in a picture.

    Returns:
        One tensor for each axis: its coordinate at each place of the grid.

    Raises:
        ArgumentError: another `indexing`.
        ShapeError: coordinates with more than one axis.

    Example:
        >>> import trainsmith as ts
        >>> [g.tolist() for g in ts.meshgrid(ts.asarray([1, 2]), ts.asarray([3, 4]))]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if indexing not in ("xy", "ij"):
        raise problem(ArgumentError, "meshgrid", "indexing xy or ij", repr(indexing))
    tensors = [asarray(array) for array in arrays]
    if any(tensor.ndim > 1 for tensor in tensors):
        raise problem(ShapeError, "meshgrid", "tensors with one axis", str([tensor.shape for tensor in tensors]))
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    shape = [tensors[axis].size for axis in order]
    grids: list[Tensor] = []
    for place, tensor in enumerate(tensors):
        column = [1] * len(shape)
        column[order.index(place)] = tensor.size
        line = apply("reshape", (tensor,), {"shape": column})
        grids.append(apply("broadcast_to", (line,), {"shape": shape}))
    return grids


def tril(x: Operand, /, *, k: int = 0) -> Tensor:
    """Keeps the elements on and below a diagonal and replaces the others by 0.

    Args:
        x: shape (..., n, m), any dtype.
        k: the diagonal: 0 the main one, above it positive, below it negative.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.tril(ts.ones((2, 2))).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    return _kept("tril", asarray(x), k, "less_equal")


def triu(x: Operand, /, *, k: int = 0) -> Tensor:
    """Keeps the elements on and above a diagonal and replaces the others by 0.

    Args:
        x: shape (..., n, m), any dtype.
        k: the diagonal: 0 the main one, above it positive, below it negative.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.triu(ts.ones((2, 2))).tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    return _kept("triu", asarray(x), k, "greater_equal")


def _kept(op: str, x: Tensor, k: int, comparison: str) -> Tensor:
    if x.ndim < 2:
        raise problem(ShapeError, op, "a tensor with at least two axes", f"shape {x.shape}")
    rows, columns = x.shape[-2:]
    mask = _diagonal(rows, columns, k, comparison, x.device)
    return apply("where", (mask, x, apply("full", (0,), {"shape": (), "dtype": x.dtype, "device": x.device})))
