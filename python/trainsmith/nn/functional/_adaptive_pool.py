"""Maxima and means of a given number of bins."""

from collections.abc import Sequence
from typing import Any

from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ShapeError
from trainsmith.nn.functional._window import checked

Bins = int | None | Sequence[int | None]


def adaptive_avg_pool1d(input: Tensor, output_size: int) -> Tensor:
    """Gives the mean of signals in each of a number of bins.

    y[t] = mean of x from ⌊t L / n⌋ up to, not including, ⌈(t + 1) L / n⌉, for length L and n bins.

    Args:
        input: shape (n, channels, length) or (channels, length), floating.
        output_size: number of bins.

    Returns:
        Shape (..., output_size).

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_avg_pool1d(ts.asarray([[1.0, 2.0, 6.0]]), 2).tolist()
        [[1.5, 4.0]]
    """
    return _adaptive("avg", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Bins) -> Tensor:
    """Gives the mean of images in each of a number of bins.

    As `adaptive_avg_pool1d` along each axis.

    Args:
        input: shape (n, channels, height, width) or (channels, height, width), floating.
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.

    Returns:
        Shape (..., *output_size).

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_avg_pool2d(ts.asarray([[[1.0, 3.0], [2.0, 4.0]]]), (1, None)).tolist()
        [[[1.5, 3.5]]]
    """
    return _adaptive("avg", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Bins) -> Tensor:
    """Gives the mean of volumes in each of a number of bins.

    As `adaptive_avg_pool1d` along each axis.

    Args:
        input: shape (n, channels, depth, height, width) or (channels, depth, height, width), floating.
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.

    Returns:
        Shape (..., *output_size).

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_avg_pool3d(ts.ones((1, 2, 3, 4)), 1).tolist()
        [[[[1.0]]]]
    """
    return _adaptive("avg", 3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: int, return_indices: bool = False) -> Any:
    """Gives the largest element of signals in each of a number of bins.

    y[t] = max of x from ⌊t L / n⌋ up to, not including, ⌈(t + 1) L / n⌉, for length L and n bins.

    Args:
        input: shape (n, channels, length) or (channels, length), floating.
        output_size: number of bins.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., output_size); with `return_indices` a pair of it
        and int64 positions in row-major order.

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_max_pool1d(ts.asarray([[1.0, 2.0, 6.0]]), 2).tolist()
        [[2.0, 6.0]]
    """
    return _adaptive("max", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Bins, return_indices: bool = False) -> Any:
    """Gives the largest element of images in each of a number of bins.

    As `adaptive_max_pool1d` along each axis.

    Args:
        input: shape (n, channels, height, width) or (channels, height, width), floating.
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., *output_size); with `return_indices` a pair of it
        and int64 positions in row-major order.

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_max_pool2d(ts.asarray([[[1.0, 3.0], [2.0, 4.0]]]), (1, None)).tolist()
        [[[2.0, 4.0]]]
    """
    return _adaptive("max", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Bins, return_indices: bool = False) -> Any:
    """Gives the largest element of volumes in each of a number of bins.

    As `adaptive_max_pool1d` along each axis.

    Args:
        input: shape (n, channels, depth, height, width) or (channels, depth, height, width), floating.
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., *output_size); with `return_indices` a pair of it
        and int64 positions in row-major order.

    Raises:
        ShapeError: an input with other axes or an empty one, or no bins.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.adaptive_max_pool3d(ts.ones((1, 2, 3, 4)), 1).tolist()
        [[[[1.0]]]]
    """
    return _adaptive("max", 3, input, output_size, return_indices)


def _adaptive(kind: str, axes: int, input: Tensor, output_size: Bins, return_indices: bool = False) -> Any:
    op = f"adaptive_{kind}_pool{axes}d"
    checked(op, axes, input)
    given = (output_size,) * axes if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(given) != axes or any(size is not None and size < 1 for size in given):
        raise problem(ShapeError, op, f"output_size: one size of at least 1, or {axes} of them", str(output_size))
    bins = tuple(old if size is None else size for size, old in zip(given, input.shape[-axes:]))
    options = {"kind": kind, "output_size": bins, "return_indices": return_indices}
    return apply("adaptive_pool", (input,), options)
