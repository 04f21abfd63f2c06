"""Activations that multiply the input by a gate, as layers."""

from typing import Literal, final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


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
class Mish(Module):
    """Applies the mish unit.

    y = x tanh(log(1 + exp(x))).

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.Mish()(ts.asarray(1.0))), 4)
        0.8651

    Source: Misra 2019.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.mish(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class Hardsigmoid(Module):
    """Applies three straight pieces in place of the logistic function.

    y = min(max(x + 3, 0), 6) / 6.

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Hardsigmoid()(ts.asarray([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]

    Source: Howard et al. 2019, section 5.2.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class Hardswish(Module):
    """Applies straight pieces and a parabola in place of `SiLU`.

    y = 0 if x ≤ -3, x if x ≥ 3, else x (x + 3) / 6.

    Args:
        inplace: whether the input shall hold the result too.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Hardswish()(ts.asarray([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.0, 4.0]

    Source: Howard et al. 2019, section 5.2.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Says whether it works in place."""
        return "inplace=True" if self.inplace else ""


@final
class GLU(Module):
    """Lets one half of a tensor gate the other.

    y = a σ(b), where a and b are the halves of the input along an axis.

    Args:
        axis: the one that is halved.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.GLU()(ts.asarray([4.0, 0.0])).tolist()
        [2.0]

    Source: Dauphin et al. 2017, section 2.
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input with half the size on the axis."""
        return functional.glu(input, self.axis)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"axis={self.axis}"
