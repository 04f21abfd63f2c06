"""Maxima under a moving window."""

from typing import Any

from trainsmith._core import Tensor, apply
from trainsmith.nn.functional._window import Sizes, pool_window


def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Gives the largest element of signals under each place of a window.

    y[t] = max_k x[stride t + dilation k - padding]; what lies in the border never wins, NaN always does. The gradient
    goes to the first of equal maxima.

    Args:
        input: shape (n, channels, length) or (channels, length), floating.
        kernel_size: size of the window.
        stride: steps between two places; `kernel_size` where None.
        padding: border on both sides, at most half the window.
        dilation: distance of two elements of the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., ⌊(length + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1), ⌈⌉ with `ceil_mode`;
        with `return_indices` a pair of it and int64 positions in the row-major order of the input's last axis.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, or padding of more than half the window.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.max_pool1d(ts.asarray([[1.0, 3.0, 2.0, 4.0]]), 2).tolist()
        [[3.0, 4.0]]
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Gives the largest element of images under each place of a window.

    As `max_pool1d` along each axis. The gradient goes to the first of equal maxima in row-major order.

    Args:
        input: shape (n, channels, height, width) or (channels, height, width), floating.
        kernel_size: size of the window; one for all axes, or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border on both sides, at most half the window.
        dilation: distance of two elements of the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., new height, new width), each size as in `max_pool1d`;
        with `return_indices` a pair of it and int64 positions in the row-major order of the input's last two axes.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, or padding of more than half the window.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.max_pool2d(ts.asarray([[[1.0, 3.0], [2.0, 4.0]]]), 2).tolist()
        [[[4.0]]]
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Gives the largest element of volumes under each place of a window.

    As `max_pool1d` along each axis. The gradient goes to the first of equal maxima in row-major order.

    Args:
        input: shape (n, channels, depth, height, width) or (channels, depth, height, width), floating.
        kernel_size: size of the window; one for all axes, or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border on both sides, at most half the window.
        dilation: distance of two elements of the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        return_indices: whether to give the position of each maximum too.

    Returns:
        Shape (..., new depth, new height, new width), each size as in `max_pool1d`;
        with `return_indices` a pair of it and int64 positions in the row-major order of the input's last three axes.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, or padding of more than half the window.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.max_pool3d(ts.ones((1, 2, 2, 2)), 2).tolist()
        [[[[1.0]]]]
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max(
    axes: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    window: dict[str, Any] = dict(
        pool_window(
            f"max_pool{axes}d",
            axes,
            input,
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            dilation=dilation,
        )
    )
    return apply("max_pool", (input,), {**window, "ceil_mode": ceil_mode, "return_indices": return_indices})
