"""Dropout as a layer."""

from typing import final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class Dropout(Module):
    """Sets elements to zero at random in training, and scales the others by 1 / (1 - p).

    Args:
        p: probability of a zero, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Dropout(0.5).eval()(ts.ones(3)).tolist()
        [1.0, 1.0, 1.0]

    Source: Srivastava et al. 2014.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise problem(ArgumentError, "Dropout", "p in [0, 1], the share of elements to drop", str(p))
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"
