"""Normalisation over trailing axes, as a layer."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Parameter, Tensor
from trainsmith._typing import DTypeLike
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter
from trainsmith.nn._module import Module


@final
class LayerNorm(Module):
    """Normalises each row over its trailing axes.

    y = (x - E[x]) / √(Var[x] + eps) · w + b.

    Args:
        normalized_shape: sizes of the trailing axes.
        eps: added to the variance.
        elementwise_affine: whether there are w, which starts at 1, and b, which starts at 0.
        bias: whether there is b.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        weight: w, shape `normalized_shape`, or None.
        bias: b, shape `normalized_shape`, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.LayerNorm(2, eps=0.0)(ts.asarray([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]

    Source: Ba, Kiros and Hinton 2016, equation 4.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", parameter(shape, dtype, device) if elementwise_affine else None)
        self.register_parameter("bias", parameter(shape, dtype, device) if elementwise_affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Puts the weight to 1 and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input, whose shape is (..., *normalized_shape)."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Names sizes and options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
