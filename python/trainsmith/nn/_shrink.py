"""Activations that pull numbers towards 0, as layers."""

from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class Softsign(Module):
    """Squeezes numbers into (-1, 1).

    y = x / (1 + |x|).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softsign()(ts.asarray([-1.0, 1.0])).tolist()
        [-0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.softsign(input)


@final
class Tanhshrink(Module):
    """Takes the hyperbolic tangent away.

    y = x - tanh(x).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Tanhshrink()(ts.asarray([0.0, 1000.0])).tolist()
        [0.0, 999.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.tanhshrink(input)


@final
class Softshrink(Module):
    """Moves numbers towards 0 and stops there.

    y = x - λ if x > λ, x + λ if x < -λ, else 0.

    Args:
        lambd: λ, at least 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softshrink()(ts.asarray([-2.0, 0.25, 2.0])).tolist()
        [-1.5, 0.0, 1.5]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"lambd={self.lambd}"


@final
class Hardshrink(Module):
    """Sets small numbers to 0.

    y = x if |x| > λ, else 0.

    Args:
        lambd: λ.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Hardshrink()(ts.asarray([-2.0, 0.25, 2.0])).tolist()
        [-2.0, 0.0, 2.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"lambd={self.lambd}"
