"""Activations as layers."""

from typing import Literal, final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class ReLU(Module):
    """Applies the rectifier max(x, 0).

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReLU()(ts.asarray([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class Tanh(Module):
    """Applies the hyperbolic tangent.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.Tanh()(ts.asarray(0.0)))
        0.0
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.tanh(input)


@final
class Sigmoid(Module):
    """Applies the logistic function 1 / (1 + exp(-x)).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.Sigmoid()(ts.asarray(0.0)))
        0.5
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.sigmoid(input)


@final
class GELU(Module):
    """Applies the Gaussian error linear unit x Φ(x).

    Args:
        approximate: `none`, or `tanh` for the approximation with tanh.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.GELU()(ts.asarray(1.0))), 4)
        0.8413
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        super().__init__()
        self.approximate: Literal["none", "tanh"] = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Names the approximation."""
        return f"approximate={self.approximate!r}"


@final
class SiLU(Module):
    """Applies the sigmoid linear unit x σ(x).

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.SiLU()(ts.asarray(0.0)))
        0.0
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.silu(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class Softmax(Module):
    """Turns scores into probabilities along an axis.

    Args:
        axis: the one that sums to 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softmax(axis=0)(ts.asarray([1.0, 1.0])).tolist()
        [0.5, 0.5]
    """

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.softmax(input, self.axis)

    def extra_repr(self) -> str:
        """Names the axis."""
        return f"axis={self.axis}"


@final
class LogSoftmax(Module):
    """Gives the logarithm of `Softmax`.

    Args:
        axis: the one along which exp sums to 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.LogSoftmax(axis=0)(ts.asarray([0.0, 1000.0])).tolist()
        [-1000.0, 0.0]
    """

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.log_softmax(input, self.axis)

    def extra_repr(self) -> str:
        """Names the axis."""
        return f"axis={self.axis}"
