"""Rectifiers as layers."""

from typing import final

from trainsmith._core import Parameter, Tensor
from trainsmith._typing import DTypeLike
from trainsmith.nn import functional
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module
from trainsmith.nn.init import constant_


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
class ReLU6(Module):
    """Applies the rectifier that stops at 6, min(max(x, 0), 6).

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReLU6()(ts.asarray([-1.0, 2.0, 9.0])).tolist()
        [0.0, 2.0, 6.0]
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.relu6(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class Hardtanh(Module):
    """Keeps numbers between two bounds.

    y = min(max(x, min_val), max_val).

    Args:
        min_val: lower bound.
        max_val: upper bound, above `min_val`.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Hardtanh()(ts.asarray([-3.0, 0.5, 3.0])).tolist()
        [-1.0, 0.5, 1.0]
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


@final
class Threshold(Module):
    """Replaces numbers up to a threshold.

    y = x if x > threshold, else value.

    Args:
        threshold: the largest number that is replaced.
        value: what replaces it.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Threshold(1.0, -5.0)(ts.asarray([0.0, 1.0, 2.0])).tolist()
        [-5.0, -5.0, 2.0]
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


@final
class LeakyReLU(Module):
    """Applies the rectifier that lets a share of negative numbers through.

    y = x if x > 0, else negative_slope · x.

    Args:
        negative_slope: slope at and below 0.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.LeakyReLU(0.25)(ts.asarray([-2.0, 2.0])).tolist()
        [-0.5, 2.0]

    Source: Maas, Hannun and Ng 2013.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


@final
class PReLU(Module):
    """Applies the leaky rectifier with learnt slopes.

    y = x if x > 0, else w x.

    Args:
        num_parameters: number of slopes: 1, or that of the channels on axis 1.
        init: what the slopes start at.
        device: of the parameter.
        dtype: of the parameter, floating.

    Attributes:
        weight: w, shape (num_parameters,).

    Raises:
        ArgumentError: a number below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.PReLU()(ts.asarray([-2.0, 2.0])).tolist()
        [-0.5, 2.0]

    Source: He et al. 2015, equation 1.
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: str | None = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        positive("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.init = init
        self.weight = parameter((num_parameters,), dtype, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets all slopes to their start."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Names the number of slopes."""
        return f"num_parameters={self.num_parameters}"


@final
class RReLU(Module):
    """Applies the leaky rectifier with random slopes.

    y = x if x > 0, else a x, a uniform in [lower, upper) in training, and their mean else.

    Args:
        lower: least slope.
        upper: greatest slope.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.RReLU(0.125, 0.375).eval()(ts.asarray([-2.0, 2.0])).tolist()
        [-0.5, 2.0]

    Source: Xu, Wang, Chen and Li 2015.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")
