"""Dropout as layers."""

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
        self.p = share("Dropout", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


@final
class Dropout1d(Module):
    """Sets whole channels of sequences to zero at random, and scales the others by 1 / (1 - p).

    One draw for each channel of each example, in training.

    Args:
        p: probability to drop, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Dropout1d(1.0)(ts.ones((1, 1, 2))).tolist()
        [[[0.0, 0.0]]]

    Source: Tompson et al. 2015.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = share("Dropout1d", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input, (n, channels, length) or (channels, length)."""
        return functional.dropout1d(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


@final
class Dropout2d(Module):
    """Sets whole channels of images to zero at random, and scales the others by 1 / (1 - p).

    One draw for each channel of each example, in training.

    Args:
        p: probability to drop, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Dropout2d(1.0)(ts.ones((1, 1, 1, 2))).tolist()
        [[[[0.0, 0.0]]]]

    Source: Tompson et al. 2015.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = share("Dropout2d", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input, (n, channels, height, width) or (n, channels, length)."""
        return functional.dropout2d(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


@final
class Dropout3d(Module):
    """Sets whole channels of volumes to zero at random, and scales the others by 1 / (1 - p).

    One draw for each channel of each example, in training.

    Args:
        p: probability to drop, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Dropout3d(1.0)(ts.ones((1, 1, 1, 1, 2))).tolist()
        [[[[[0.0, 0.0]]]]]

    Source: Tompson et al. 2015.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = share("Dropout3d", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input, (n, channels, depth, height, width) or that without n."""
        return functional.dropout3d(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


@final
class AlphaDropout(Module):
    """Sets elements to the least value of `SELU` at random, and restores mean 0 and variance 1.

    Args:
        p: probability to drop, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AlphaDropout(0.5).eval()(ts.ones(3)).tolist()
        [1.0, 1.0, 1.0]

    Source: Klambauer et al. 2017, section 3.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = share("AlphaDropout", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.alpha_dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


@final
class FeatureAlphaDropout(Module):
    """Drops as `AlphaDropout` does, whole channels at once.

    One draw for each channel of each example, in training.

    Args:
        p: probability to drop, in [0, 1].
        inplace: whether the input shall hold the result too.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.FeatureAlphaDropout(0.5).eval()(ts.ones((1, 1, 3))).tolist()
        [[[1.0, 1.0, 1.0]]]

    Source: Klambauer et al. 2017, section 3.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = share("FeatureAlphaDropout", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input, (n, channels, ...)."""
        return functional.feature_alpha_dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Names the probability."""
        return f"p={self.p}, inplace={self.inplace}"


def share(layer: str, p: float) -> float:
    """Gives a probability back.

    Raises:
        ArgumentError: one outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise problem(ArgumentError, layer, "p in [0, 1], the share to drop", str(p))
    return p
