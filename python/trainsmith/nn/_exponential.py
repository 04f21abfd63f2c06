"""Activations with an exponential piece, as layers."""

from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class ELU(Module):
    """Applies the exponential linear unit.

    y = x if x > 0, else α (exp(x) - 1).

    Args:
        alpha: α, the distance of the limit below 0.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ELU()(ts.asarray([-1000.0, 2.0])).tolist()
        [-1.0, 2.0]

    Source: Clevert, Unterthiner and Hochreiter 2016, equation 15.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


@final
class SELU(Module):
    """Applies the scaled exponential linear unit.

    y = λ x if x > 0, else λ α (exp(x) - 1), λ = 1.0507..., α = 1.6733....

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.SELU()(ts.asarray(1.0))), 4)
        1.0507

    Source: Klambauer et al. 2017, equation 2.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.selu(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class CELU(Module):
    """Applies the exponential linear unit whose slope is 1 at 0 for every α.

    y = x if x > 0, else α (exp(x / α) - 1).

    Args:
        alpha: α, the distance of the limit below 0; not 0.
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.CELU(0.5)(ts.asarray([-1000.0, 2.0])).tolist()
        [-0.5, 2.0]

    Source: Barron 2017.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


@final
class Softplus(Module):
    """Applies the smooth rectifier.

    y = log(1 + exp(β x)) / β, and x itself where β x is above the threshold.

    Args:
        beta: β, how sharp the bend is; not 0.
        threshold: of β x, above which the function is a line.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softplus()(ts.asarray([-1000.0, 1000.0])).tolist()
        [0.0, 1000.0]

    Source: Dugas et al. 2001.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"beta={self.beta}, threshold={self.threshold}"


@final
class LogSigmoid(Module):
    """Gives the logarithm of the logistic function.

    y = -log(1 + exp(-x)).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.LogSigmoid()(ts.asarray([-1000.0])).tolist()
        [-1000.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.logsigmoid(input)


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
