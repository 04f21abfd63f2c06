"""Convolutional layers."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal, final

from trainsmith._core import Parameter, Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module

Sizes = int | Sequence[int]
Padding = Sizes | Literal["same", "valid"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class AbstractConv(Module):
    """What convolutional layers of one to three spatial axes share: sizes, parameters, padding.

    Args:
        in_channels: channels of inputs, a multiple of `groups`.
        out_channels: channels of outputs, a multiple of `groups`.
        kernel_size: one size for all spatial axes, or one each.
        stride: steps between two outputs, per axis or one for all.
        padding: border on both sides, per axis or one for all; `same` keeps the size (stride 1), `valid` is 0.
        dilation: distance of two elements of the kernel, per axis or one for all.
        groups: number of parts that channels are split into, each with its own kernels.
        bias: whether there is a summand per output channel.
        padding_mode: what the border is filled with.
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
        padding: Padding = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        op, axes = type(self).__name__, self.spatial_axes()
        positive(op, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            got = f"{in_channels} and {out_channels} channels, {groups} groups"
            raise problem(ArgumentError, op, "in_channels and out_channels that groups divides", got)
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise problem(ArgumentError, op, "padding_mode zeros, reflect, replicate or circular", repr(padding_mode))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _per_axis(op, "kernel_size", kernel_size, axes, 1)
        self.stride = _per_axis(op, "stride", stride, axes, 1)
        self.padding = padding if isinstance(padding, str) else _per_axis(op, "padding", padding, axes, 0)
        self.dilation = _per_axis(op, "dilation", dilation, axes, 1)
        self.groups = groups
        self.padding_mode: PaddingMode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = parameter(shape, dtype, device)
        self.register_parameter("bias", parameter((out_channels,), dtype, device) if bias else None)
        self.reset_parameters()

    @staticmethod
    @abstractmethod
    def spatial_axes() -> int:
        """Gives the number of spatial axes."""

    @abstractmethod
    def convolve(self, input: Tensor, padding: tuple[int, ...] | str) -> Tensor:
        """Convolves an input with a border of zeros."""

    def reset_parameters(self) -> None:
        """Draws new weights from the default generator."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_channels // self.groups * math.prod(self.kernel_size))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, in_channels, ...), or the same without n, to (n, out_channels, ...)."""
        if self.padding_mode == "zeros":
            return self.convolve(input, self.padding)
        border: list[int] = []
        for low, high in reversed(self._borders()):
            border += [low, high]
        return self.convolve(functional.pad(input, border, mode=self.padding_mode), (0,) * self.spatial_axes())

    def _borders(self) -> list[tuple[int, int]]:
        if self.padding == "valid":
            return [(0, 0)] * self.spatial_axes()
        if isinstance(self.padding, str):
            totals = [step * (size - 1) for step, size in zip(self.dilation, self.kernel_size)]
            return [(total // 2, total - total // 2) for total in totals]
        return [(size, size) for size in self.padding]

    def extra_repr(self) -> str:
        """Names sizes and the options that differ from their defaults."""
        ones = (1,) * self.spatial_axes()
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if isinstance(self.padding, str) or any(self.padding):
            parts.append(f"padding={self.padding!r}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode!r}")
        return ", ".join(parts)


@final
class Conv1d(AbstractConv):
    """Correlates signals with trained kernels. Arguments as in `AbstractConv`.

    y[n, o, t] = b[o] + Σ_c Σ_k w[o, c, k] x[n, c, stride t + dilation k - padding].

    Both start uniform in ±1/√(in_channels / groups · kernel size).

    Attributes:
        weight: w, shape (out_channels, in_channels / groups, kernel).
        bias: b, shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Conv1d(2, 4, 3, padding="same")(ts.ones((5, 2, 10))).shape
        (5, 4, 10)
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 1."""
        return 1

    def convolve(self, input: Tensor, padding: tuple[int, ...] | str) -> Tensor:
        """Convolves signals."""
        return functional.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


@final
class Conv2d(AbstractConv):
    """Correlates images with trained kernels, as `Conv1d` does with signals. Arguments as in `AbstractConv`.

    Attributes:
        weight: shape (out_channels, in_channels / groups, kernel height, kernel width).
        bias: shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Conv2d(3, 8, 3, padding=1, stride=2)(ts.ones((1, 3, 8, 8))).shape
        (1, 8, 4, 4)
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 2."""
        return 2

    def convolve(self, input: Tensor, padding: tuple[int, ...] | str) -> Tensor:
        """Convolves images."""
        return functional.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


@final
class Conv3d(AbstractConv):
    """Correlates volumes with trained kernels, as `Conv1d` does with signals. Arguments as in `AbstractConv`.

    Attributes:
        weight: shape (out_channels, in_channels / groups, kernel depth, kernel height, kernel width).
        bias: shape (out_channels,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Conv3d(1, 2, 2)(ts.ones((1, 1, 4, 4, 4))).shape
        (1, 2, 3, 3, 3)
    """

    @staticmethod
    def spatial_axes() -> int:
        """Gives 3."""
        return 3

    def convolve(self, input: Tensor, padding: tuple[int, ...] | str) -> Tensor:
        """Convolves volumes."""
        return functional.conv3d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


def _per_axis(op: str, name: str, value: Sizes, axes: int, low: int) -> tuple[int, ...]:
    given = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(given) != axes or any(one < low for one in given):
        raise problem(ArgumentError, op, f"{name}: one size of at least {low}, or {axes} of them", repr(value))
    return given
