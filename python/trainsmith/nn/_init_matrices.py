"""Start values with a structure: identities, orthogonal and sparse matrices. They are made on the host."""

import math
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import float64
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError

T = TypeVar("T", bound=Tensor)
Floats = npt.NDArray[np.float64]


def eye_(tensor: T) -> T:
    """Writes the identity: 1 on the diagonal, 0 elsewhere.

    Args:
        tensor: shape (rows, columns).

    Returns:
        The tensor.

    Raises:
        ShapeError: not two axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.init.eye_(ts.zeros((2, 3))).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    _axes("eye_", tensor, 2, 2)
    return _write(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: T, groups: int = 1) -> T:
    """Writes kernels that hand channels on: 1 in the centre of that from channel i to channel i, 0 elsewhere.

    Args:
        tensor: a weight of a convolution, shape (out, in / groups, kernel...).
        groups: parts that the channels are split into; each hands its own channels on.

    Returns:
        The tensor.

    Raises:
        ShapeError: not three to five axes.
        ArgumentError: outputs that `groups` does not divide.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.init.dirac_(ts.zeros((2, 1, 3))).tolist()
        [[[0.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]]
    """
    _axes("dirac_", tensor, 3, 5)
    if groups < 1 or tensor.shape[0] % groups:
        raise problem(ArgumentError, "dirac_", "groups that divides the output channels", f"{groups}, {tensor.shape}")
    values = np.zeros(tensor.shape)
    outputs, centre = tensor.shape[0] // groups, tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(outputs, tensor.shape[1])):
            values[(group * outputs + channel, channel, *centre)] = 1
    return _write(tensor, values)


def orthogonal_(tensor: T, gain: float = 1.0) -> T:
    """Draws a matrix whose rows, or columns where there are fewer, are orthogonal and of length `gain`.

    Q of a matrix of normal numbers, its columns turned so that the diagonal of R is positive: uniform over all of them.

    Args:
        tensor: shape (rows, ...); later axes count as one.
        gain: factor, see `calculate_gain`.

    Returns:
        The tensor.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> w = nn.init.orthogonal_(ts.zeros((2, 3)))
        >>> bool(ts.all(ts.abs(w @ w.T - ts.eye(2)) < 1e-6))
        True

    Source: Saxe, McClelland and Ganguli 2014; Mezzadri 2007 for the signs.
    """
    _axes("orthogonal_", tensor, 2, None)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if rows * columns == 0:
        return tensor
    drawn = _drawn("randn", (max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return _write(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: T, sparsity: float, std: float = 0.01) -> T:
    """Draws a matrix of normal numbers, and puts a share of each column to 0.

    Args:
        tensor: shape (rows, columns).
        sparsity: share of each column that becomes 0, rounded up, in [0, 1].
        std: standard deviation of the other elements.

    Returns:
        The tensor.

    Raises:
        ShapeError: not two axes.
        ArgumentError: `sparsity` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> int(ts.sum(nn.init.sparse_(ts.ones((4, 3)), 0.5) == 0))
        6

    Source: Martens 2010, section 5.
    """
    _axes("sparse_", tensor, 2, 2)
    if not 0 <= sparsity <= 1:
        raise problem(ArgumentError, "sparse_", "sparsity in [0, 1], the share of zeros", str(sparsity))
    values = _drawn("randn", tensor.shape) * std
    order = np.argsort(_drawn("rand", tensor.shape), axis=0)
    gone = order[: math.ceil(sparsity * tensor.shape[0])]
    np.put_along_axis(values, gone, 0.0, axis=0)
    return _write(tensor, values)


def _axes(op: str, tensor: Tensor, least: int, most: int | None) -> None:
    if tensor.ndim < least or (most is not None and tensor.ndim > most):
        rule = f"{least} axes" if least == most else f"at least {least} axes" + (f", at most {most}" if most else "")
        raise problem(ShapeError, op, f"a tensor with {rule}", str(tensor.shape))


def _drawn(name: str, shape: tuple[int, ...]) -> Floats:
    """Draws from the default generator."""
    drawn: Any = apply(name, (), {"shape": shape, "dtype": float64})
    return np.array(cast(Floats, np.asarray(drawn)))


def _write(tensor: T, values: Floats) -> T:
    tensor.copy_(asarray(values, dtype=tensor.dtype, device=tensor.device))
    return tensor
