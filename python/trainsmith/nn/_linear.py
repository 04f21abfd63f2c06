"""Affine layers."""

import math
from typing import TypeVar, final

from trainsmith._core import Parameter, Tensor
from trainsmith._typing import DTypeLike
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module

T = TypeVar("T")


@final
class Linear(Module):
    """Applies an affine map to the last axis.

    y = x Wᵀ + b. Both start uniform in ±1/√in_features.

    Args:
        in_features: size of the last axis of inputs, at least 1.
        out_features: size of the last axis of outputs, at least 1.
        bias: whether there is a summand b.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        weight: W, shape (out_features, in_features).
        bias: b, shape (out_features,), or None.

    Raises:
        ArgumentError: a size below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Linear(3, 2)(ts.ones((5, 3))).shape
        (5, 2)

    Source: He et al. 2015 with a = √5, as in torch.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = parameter((out_features, in_features), dtype, device)
        self.register_parameter("bias", parameter((out_features,), dtype, device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new weights from the default generator."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (..., in_features) to (..., out_features)."""
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Names the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


@final
class Identity(Module):
    """Gives its input back.

    Args:
        args: ignored, so that it can stand in for any layer.
        kwargs: ignored.

    Example:
        >>> from trainsmith import nn
        >>> nn.Identity(54, unused=True)("as it is")
        'as it is'
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__()

    def forward(self, input: T) -> T:
        """Gives the input back."""
        return input
