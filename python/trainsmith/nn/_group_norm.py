"""Normalising layers over groups of channels, and by the root mean square."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Parameter, Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module


@final
class GroupNorm(Module):
    """Normalises each group of channels of each example.

    y = (x - μ) / √(σ² + eps) · w + b, moments over the channels of a group and all later axes.

    Args:
        num_groups: number of groups, a divisor of `num_channels`.
        num_channels: size of axis 1 of inputs.
        eps: added to the variance.
        affine: whether there are w, which starts at 1, and b, which starts at 0.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        weight: w, shape (num_channels,), or None.
        bias: b, shape (num_channels,), or None.

    Raises:
        ArgumentError: channels that `num_groups` does not divide.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.GroupNorm(2, 6)(ts.ones((4, 6, 5))).shape
        (4, 6, 5)

    Source: Wu and He 2018, equations 2 and 7.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            got = f"{num_channels} channels, {num_groups} groups"
            raise problem(ArgumentError, "GroupNorm", "num_channels that num_groups divides", got)
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.register_parameter("weight", parameter((num_channels,), dtype, device) if affine else None)
        self.register_parameter("bias", parameter((num_channels,), dtype, device) if affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Puts the weight to 1 and the bias to 0."""
        if self.weight is not None and self.bias is not None:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input, whose shape is (n, num_channels, ...)."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Names sizes and options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


@final
class RMSNorm(Module):
    """Divides each row by the root of its mean square over the trailing axes.

    y = x / √(E[x²] + eps) · w.

    Args:
        normalized_shape: sizes of the trailing axes.
        eps: added to the mean square; the distance from 1 to the next number of the dtype where None.
        elementwise_affine: whether there is w, which starts at 1.
        device: of the parameter.
        dtype: of the parameter, floating.

    Attributes:
        weight: w, shape `normalized_shape`, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.RMSNorm(2)(ts.asarray([[3.0, -3.0]])).tolist()
        [[1.0, -1.0]]

    Source: Zhang and Sennrich 2019, equation 4.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", parameter(shape, dtype, device) if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Puts the weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input, whose shape is (..., *normalized_shape)."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Names sizes and options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
