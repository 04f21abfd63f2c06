"""Transposed convolutional layers."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, final

from trainsmith._core import Parameter, Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module

Sizes = int | Sequence[int]


class AbstractConvTranspose(Module):
    """What transposed convolutional layers of one to three spatial axes share.

    Args:
        in_channels: channels of inputs, a multiple of `groups`.
        out_channels: channels of outputs, a multiple of `groups`.
        kernel_size: one size for all spatial axes, or one each.
        stride: distance in the output of two inputs, per axis or one for all.
        padding: what is cut off both sides, per axis or one for all.
        output_padding: what is added at the end, below the stride or the dilation.
        groups: number of parts that channels are split into, each with its own kernels.
        bias: whether there is a summand per output channel.
        dilation: distance of two elements of the kernel, per axis or one for all.
        padding_mode: `zeros`, the only one.
        device: of the parameters.
        dtype: of the parameters, floating.

    Raises:
        ArgumentError: a size below 1, or channels that `groups` does not divide.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: Literal["zeros"] = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        op, axes = type(self).__name__, self.spatial_axes()
        positive(op, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            got = f"{in_channels} and {out_channels} channels, {groups} groups"
            raise problem(ArgumentError, op, "in_channels and out_channels that groups divides", got)
        if padding_mode != "zeros":
            raise problem(ArgumentError, op, "padding_mode zeros", repr(padding_mode))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_axis(op, "kernel_size", kernel_size, axes, 1)
        self.stride = per_axis(op, "stride", stride, axes, 1)
        self.padding = per_axis(op, "padding", padding, axes, 0)
        self.output_padding = per_axis(op, "output_padding", output_padding, axes, 0)
        self.groups = groups
        self.dilation = per_axis(op, "dilation", dilation, axes, 1)
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        self.weight = parameter(shape, dtype, device)
        self.register_parameter("bias", parameter((out_channels,), dtype, device) if bias else None)
        self.reset_parameters()

    @staticmethod
    @abstractmethod
    def spatial_axes() -> int:
        """Gives the number of spatial axes."""

    @abstractmethod
    def spread(self, input: Tensor, output_padding: tuple[int, ...]) -> Tensor:
        """Spreads an input by the kernels."""

    def reset_parameters(self) -> None:
        """Draws new weights from the default generator."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.out_channels // self.groups * math.prod(self.kernel_size))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Maps shape (n, in_channels, ...), or the same without n, to (n, out_channels, ...).

        Args:
            input: floating.
            output_size: sizes of the spatial axes, which choose the output padding; or of all axes.

        Raises:
            ShapeError: sizes that no output padding gives.
        """
        if output_size is None:
            return self.spread(input, self.output_padding)
        axes = self.spatial_axes()
        wanted, old = tuple(output_size)[-axes:], input.shape[-axes:]
        options = zip(old, self.stride, self.padding, self.dilation, self.kernel_size)
        least = tuple((size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in options)
        extra = tuple(size - low for size, low in zip(wanted, least))
        if len(wanted) != axes or any(not 0 <= more < s for more, s in zip(extra, self.stride)):
            most = tuple(low + s - 1 for low, s in zip(least, self.stride))
            raise problem(ShapeError, type(self).__name__, f"output_size between {least} and {most}", str(wanted))
        return self.spread(input, extra)

    def extra_repr(self) -> str:
        """Names sizes and the options that differ from their defaults."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if any(self.padding):
            parts.append(f"padding={self.padding}")
        if any(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if any(one != 1 for one in self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


@final
class ConvTranspose1d(AbstractConvTranspose):
    """Spreads signals by trained kernels: the transpose of `Conv1d`. Arguments as in `AbstractConvTranspose`.

    y[n, o, stride t + dilation k - padding] = b[o] + Σ_c Σ_t Σ_k w[c, o, k] x[n, c, t].

    Both start uniform in ±1/√(out_channels / groups · kernel size).

    Attributes:
        weight: w, shape (in_channels, out_channels / groups, kernel).
        bias: b, shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ConvTranspose1d(2, 4, 3, stride=2)(ts.ones((5, 2, 10))).shape
        (5, 4, 21)

    Source: Dumoulin and Visin 2016, section 4.
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 1."""
        return 1

    def spread(self, input: Tensor, output_padding: tuple[int, ...]) -> Tensor:
        """Spreads signals."""
        return functional.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )


@final
class ConvTranspose2d(AbstractConvTranspose):
    """Spreads images by trained kernels: the transpose of `Conv2d`. Arguments as in `AbstractConvTranspose`.

    Attributes:
        weight: shape (in_channels, out_channels / groups, kernel height, kernel width).
        bias: shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.ConvTranspose2d(3, 8, 3, padding=1, stride=2)
        >>> layer(ts.ones((1, 3, 4, 4)), output_size=(8, 8)).shape
        (1, 8, 8, 8)

    Source: Dumoulin and Visin 2016, section 4.
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 2."""
        return 2

    def spread(self, input: Tensor, output_padding: tuple[int, ...]) -> Tensor:
        """Spreads images."""
        return functional.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )


@final
class ConvTranspose3d(AbstractConvTranspose):
    """Spreads volumes by trained kernels: the transpose of `Conv3d`. Arguments as in `AbstractConvTranspose`.

    Attributes:
        weight: shape (in_channels, out_channels / groups, kernel depth, kernel height, kernel width).
        bias: shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ConvTranspose3d(1, 2, 2)(ts.ones((1, 1, 3, 3, 3))).shape
        (1, 2, 4, 4, 4)

    Source: Dumoulin and Visin 2016, section 4.
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 3."""
        return 3

    def spread(self, input: Tensor, output_padding: tuple[int, ...]) -> Tensor:
        """Spreads volumes."""
        return functional.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )


def per_axis(op: str, name: str, value: Sizes, axes: int, low: int) -> tuple[int, ...]:
    """Gives one size per axis, after checking them.

    Raises:
        ArgumentError: another number of sizes, or one below `low`.
    """
    given = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(given) != axes or any(one < low for one in given):
        raise problem(ArgumentError, op, f"{name}: one size of at least {low}, or {axes} of them", repr(value))
    return given
