"""Convolutions in one to three spatial dimensions."""

from collections.abc import Sequence

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._call import call, sizes

Sizes = int | Sequence[int]
Padding = int | Sequence[int] | str


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Correlates a signal with kernels.

    y[n, o, t] = b[o] + Σ_c Σ_k w[o, c, k] x[n, c, stride t + dilation k - padding].

    Args:
        input: shape (n, in, length) or (in, length), floating.
        weight: shape (out, in / groups, kernel).
        bias: shape (out,).
        stride: steps between two outputs, at least 1.
        padding: zeros on both sides; `same` keeps the length (stride 1), `valid` is 0.
        dilation: distance of two elements of the kernel, at least 1.
        groups: number of parts that channels are split into, each with its own kernels.

    Returns:
        Shape (n, out, ⌊(length + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1);
        without n where `input` has none.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: `same` with a stride other than 1, or a negative size.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.conv1d(ts.asarray([[1.0, 2.0, 4.0]]), ts.asarray([[[-1.0, 1.0]]])).tolist()
        [[1.0, 2.0]]
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Correlates images with kernels, as `conv1d` does in one dimension.

    On the CPU, kernels of 3 x 3 with stride and dilation 1 are computed in tiles of 2 x 2 outputs by fewer products
    (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks"): an input that is not finite makes
    whole tiles NaN.

    Args:
        input: shape (n, in, height, width) or (in, height, width), floating.
        weight: shape (out, in / groups, kernel height, kernel width).
        bias: shape (out,).
        stride: one for both axes, or one each.
        padding: one for both axes, one each, `same` or `valid`.
        dilation: one for both axes, or one each.
        groups: number of parts that channels are split into.

    Returns:
        Shape (n, out, new height, new width), each size as in `conv1d`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: `same` with a stride other than 1, or a negative size.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.conv2d(ts.ones((1, 3, 8, 8)), ts.ones((4, 3, 3, 3)), padding=1).shape
        (1, 4, 8, 8)
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Correlates volumes with kernels, as `conv1d` does in one dimension.

    Args:
        input: shape (n, in, depth, height, width) or (in, depth, height, width), floating.
        weight: shape (out, in / groups, kernel depth, kernel height, kernel width).
        bias: shape (out,).
        stride: one for all axes, or one each.
        padding: one for all axes, one each, `same` or `valid`.
        dilation: one for all axes, or one each.
        groups: number of parts that channels are split into.

    Returns:
        Shape (n, out, new depth, new height, new width), each size as in `conv1d`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: `same` with a stride other than 1, or a negative size.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.conv3d(ts.ones((1, 1, 4, 4, 4)), ts.ones((2, 1, 2, 2, 2))).shape
        (1, 2, 3, 3, 3)
    """
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    op: str,
    spatial: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    if weight.ndim != spatial + 2 or input.ndim not in (spatial + 1, spatial + 2):
        rule = f"an input with {spatial + 1} or {spatial + 2} axes and a weight with {spatial + 2}; reshape them"
        raise problem(ShapeError, op, rule, f"input {input.shape} and weight {weight.shape}")
    steps = sizes(dilation, spatial)
    border = padding
    if isinstance(border, str):
        input, border = _named_padding(op, border, input, weight.shape[2:], stride, steps)
    options = {"stride": sizes(stride, spatial), "padding": sizes(border, spatial), "dilation": steps, "groups": groups}
    return call("conv", input, weight, bias, **options)


def _named_padding(
    op: str, name: str, input: Tensor, kernel: tuple[int, ...], stride: Sizes, dilation: tuple[int, ...]
) -> tuple[Tensor, tuple[int, ...]]:
    """Pads an axis itself where both sides differ by one, and leaves the even rest to the convolution."""
    if name not in ("same", "valid"):
        raise problem(ArgumentError, op, 'padding "same", "valid" or sizes', repr(name))
    if name == "valid":
        return input, (0,) * len(kernel)
    if any(one != 1 for one in sizes(stride, len(kernel))):
        raise problem(ArgumentError, op, 'stride 1 with padding "same"; give the padding as sizes', f"stride {stride}")
    total = [step * (size - 1) for step, size in zip(dilation, kernel)]
    odd = tuple(border % 2 for border in total)
    if any(odd):
        ahead = (0,) * (input.ndim - len(kernel))
        input = call("pad", input, low=(0,) * input.ndim, high=(*ahead, *odd))
    return input, tuple(border // 2 for border in total)
