"""Functions that turn scores into probabilities, as layers."""

from typing import final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ShapeError
from trainsmith.nn import functional
from trainsmith.nn._module import Module


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


@final
class Softmin(Module):
    """Turns costs into probabilities along an axis.

    Args:
        axis: the one that sums to 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softmin(axis=0)(ts.asarray([0.0, 1000.0])).tolist()
        [1.0, 0.0]
    """

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input."""
        return functional.softmin(input, self.axis)

    def extra_repr(self) -> str:
        """Names the option."""
        return f"axis={self.axis}"


@final
class Softmax2d(Module):
    """Turns the channels of images into probabilities at each place.

    Raises:
        ShapeError: an input with neither 3 nor 4 axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Softmax2d()(ts.zeros((1, 2, 1, 1))).tolist()
        [[[[0.5]], [[0.5]]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Gives the shape of the input, (n, channels, height, width) or (channels, height, width)."""
        if input.ndim not in (3, 4):
            raise problem(ShapeError, "Softmax2d", "3 or 4 axes", str(input.shape))
        return functional.softmax(input, -3)
