"""Distinct elements. The host reads the elements, so none of these works inside a compiled function."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import int64
from trainsmith._exchange import widened, words
from trainsmith._typing import Operand


class UniqueAll(NamedTuple):
    """Distinct elements and all that is known of them."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Distinct elements, and how often each occurs."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Distinct elements, and which of them each element is."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Operand, /) -> UniqueAll:
    """Gives the distinct elements, where each stands first, which each element is, and how often each occurs.

    Every NaN is distinct from every other; -0.0 equals 0.0.

    Args:
        x: any shape and dtype.

    Returns:
        Sorted `values` of shape (n,), and int64 `indices` in the flattened `x`, `inverse_indices` of the shape of `x`
        and `counts`.

    Raises:
        GraphError: inside a compiled function.

    Example:
        >>> import trainsmith as ts
        >>> [t.tolist() for t in ts.unique_all(ts.asarray([3, 1, 3]))]
        [[1, 3], [1, 0], [1, 0, 1], [1, 2]]
    """
    tensor = asarray(x)
    host = words(widened(tensor))
    _, first, inverse, counts = np.unique(
        host.reshape(-1), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    flat = apply("reshape", (tensor,), {"shape": (-1,)})
    indices = _positions(first, tensor.device)
    return UniqueAll(
        apply("take", (flat, indices), {"axis": 0}),
        indices,
        _positions(inverse.reshape(host.shape), tensor.device),
        _positions(counts, tensor.device),
    )


def _positions(numbers: npt.NDArray[Any], device: str) -> Tensor:
    return _core.from_bytes(np.ascontiguousarray(numbers, np.int64).tobytes(), numbers.shape, int64, device)


def unique_counts(x: Operand, /) -> UniqueCounts:
    """Gives the distinct elements, and how often each occurs.

    Args:
        x: any shape and dtype.

    Returns:
        Sorted `values` and int64 `counts` of shape (n,).

    Raises:
        GraphError: inside a compiled function.

    Example:
        >>> import trainsmith as ts
        >>> [t.tolist() for t in ts.unique_counts(ts.asarray([3, 1, 3]))]
        [[1, 3], [1, 2]]
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Operand, /) -> UniqueInverse:
    """Gives the distinct elements, and which of them each element is.

    values[inverse_indices] = x

    Args:
        x: any shape and dtype.

    Returns:
        Sorted `values` of shape (n,), and int64 `inverse_indices` of the shape of `x`.

    Raises:
        GraphError: inside a compiled function.

    Example:
        >>> import trainsmith as ts
        >>> [t.tolist() for t in ts.unique_inverse(ts.asarray([[3, 1], [3, 3]]))]
        [[1, 3], [[1, 0], [1, 1]]]
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Operand, /) -> Tensor:
    """Gives the distinct elements.

    Args:
        x: any shape and dtype.

    Returns:
        Sorted, shape (n,), dtype of `x`.

    Raises:
        GraphError: inside a compiled function.

    Example:
        >>> import trainsmith as ts
        >>> ts.unique_values(ts.asarray([3, 1, 3])).tolist()
        [1, 3]
    """
    return unique_all(x).values
