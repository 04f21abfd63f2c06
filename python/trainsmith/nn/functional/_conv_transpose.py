"""Transposed convolutions in one to three spatial dimensions."""

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._call import call, sizes
from trainsmith.nn.functional._window import Sizes


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Spreads a signal by kernels: the transpose of `conv1d` as a linear map.

    y[n, o, stride t + dilation k - padding] = b[o] + Σ_c Σ_t Σ_k w[c, o, k] x[n, c, t].

    Args:
        input: shape (n, in, length) or (in, length), floating.
        weight: shape (in, out / groups, kernel).
        bias: shape (out,).
        stride: distance in the output of two inputs, at least 1.
        padding: what is cut off both sides.
        output_padding: what is added at the end, below the stride or the dilation; it picks one of the lengths that
            `conv1d` would map to that of `input`.
        groups: number of parts that channels are split into, each with its own kernels.
        dilation: distance of two elements of the kernel, at least 1.

    Returns:
        Shape (n, out, stride (length - 1) - 2 padding + dilation (kernel - 1) + output_padding + 1);
        without n where `input` has none.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: a size that is too small, or too large an `output_padding`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.conv_transpose1d(ts.asarray([[1.0, 2.0]]), ts.asarray([[[1.0, 10.0]]]), stride=2).tolist()
        [[1.0, 10.0, 2.0, 20.0]]

    Source: Dumoulin and Visin 2016, section 4.
    """
    return _spread(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Spreads images by kernels, as `conv_transpose1d` does in one dimension.

    Args:
        input: shape (n, in, height, width) or (in, height, width), floating.
        weight: shape (in, out / groups, kernel height, kernel width).
        bias: shape (out,).
        stride: one for both axes, or one each.
        padding: one for both axes, or one each.
        output_padding: one for both axes, or one each.
        groups: number of parts that channels are split into.
        dilation: one for both axes, or one each.

    Returns:
        Shape (n, out, new height, new width), each size as in `conv_transpose1d`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: a size that is too small, or too large an `output_padding`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x, weight = ts.ones((1, 4, 5, 5)), ts.ones((4, 2, 3, 3))
        >>> nn.functional.conv_transpose2d(x, weight, stride=2, padding=1, output_padding=1).shape
        (1, 2, 10, 10)

    Source: Dumoulin and Visin 2016, section 4.
    """
    return _spread(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Spreads volumes by kernels, as `conv_transpose1d` does in one dimension.

    Args:
        input: shape (n, in, depth, height, width) or (in, depth, height, width), floating.
        weight: shape (in, out / groups, kernel depth, kernel height, kernel width).
        bias: shape (out,).
        stride: one for all axes, or one each.
        padding: one for all axes, or one each.
        output_padding: one for all axes, or one each.
        groups: number of parts that channels are split into.
        dilation: one for all axes, or one each.

    Returns:
        Shape (n, out, new depth, new height, new width), each size as in `conv_transpose1d`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: a size that is too small, or too large an `output_padding`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.conv_transpose3d(ts.ones((1, 2, 2, 2)), ts.ones((1, 3, 2, 2, 2)), stride=2).shape
        (3, 4, 4, 4)

    Source: Dumoulin and Visin 2016, section 4.
    """
    return _spread(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _spread(
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    op = f"conv_transpose{axes}d"
    if weight.ndim != axes + 2 or input.ndim not in (axes + 1, axes + 2):
        rule = f"an input with {axes + 1} or {axes + 2} axes and a weight with {axes + 2}; reshape them"
        raise problem(ShapeError, op, rule, f"input {input.shape} and weight {weight.shape}")
    steps = {"stride": sizes(stride, axes), "dilation": sizes(dilation, axes)}
    if any(one < 1 for step in steps.values() for one in step):
        raise problem(ArgumentError, op, "stride and dilation of at least 1", f"{stride} and {dilation}")
    borders = {"padding": sizes(padding, axes), "output_padding": sizes(output_padding, axes)}
    return call("conv_transpose", input, weight, bias, **steps, **borders, groups=groups)
