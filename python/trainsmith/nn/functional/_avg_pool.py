"""Means under a moving window."""

from typing import Any

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call
from trainsmith.nn.functional._window import Sizes, pool_window


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Gives the mean of signals under each place of a window.

    y[t] = 1/c Σ_k x[stride t + k - padding], where c is the number of elements that count.

    Args:
        input: shape (n, channels, length) or (channels, length), floating.
        kernel_size: size of the window.
        stride: steps between two places; `kernel_size` where None.
        padding: border of zeros on both sides, at most half the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        count_include_pad: whether the border counts; what lies past it never does.

    Returns:
        Shape (..., ⌊(length + 2 padding - kernel_size) / stride⌋ + 1), ⌈⌉ with `ceil_mode`.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, padding of more than half the window.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.avg_pool1d(ts.asarray([[1.0, 3.0, 2.0, 4.0]]), 2).tolist()
        [[2.0, 3.0]]
    """
    return _avg(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Gives the mean of images under each place of a window.

    As `avg_pool1d` along each axis.

    Args:
        input: shape (n, channels, height, width) or (channels, height, width), floating.
        kernel_size: size of the window; one for all axes, or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border of zeros on both sides, at most half the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        count_include_pad: whether the border counts; what lies past it never does.
        divisor_override: what to divide by instead of the number of elements.

    Returns:
        Shape (..., new height, new width), each size as in `avg_pool1d`.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, padding of more than half the window, or a divisor of 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.avg_pool2d(ts.asarray([[[1.0, 3.0], [2.0, 4.0]]]), 2).tolist()
        [[[2.5]]]
    """
    return _avg(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Gives the mean of volumes under each place of a window.

    As `avg_pool1d` along each axis.

    Args:
        input: shape (n, channels, depth, height, width) or (channels, depth, height, width), floating.
        kernel_size: size of the window; one for all axes, or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border of zeros on both sides, at most half the window.
        ceil_mode: whether a last window may reach past the border, as long as it starts before the input's end.
        count_include_pad: whether the border counts; what lies past it never does.
        divisor_override: what to divide by instead of the number of elements.

    Returns:
        Shape (..., new depth, new height, new width), each size as in `avg_pool1d`.

    Raises:
        ShapeError: an input with other axes, or smaller than the window.
        ArgumentError: a size that is too small, padding of more than half the window, or a divisor of 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.avg_pool3d(ts.ones((1, 2, 2, 2)), 2).tolist()
        [[[[1.0]]]]
    """
    return _avg(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg(
    axes: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    stride = kernel_size if stride is None else stride
    window: dict[str, Any] = dict(
        pool_window(f"avg_pool{axes}d", axes, input, kernel_size=kernel_size, stride=stride, padding=padding)
    )
    counted = {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
    return call("avg_pool", input, **window, ceil_mode=ceil_mode, **counted)
