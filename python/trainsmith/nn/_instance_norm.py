"""Normalisation of each channel of each example, as layers."""

from typing import ClassVar, final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ShapeError
from trainsmith.nn import functional
from trainsmith.nn._batch_norm import AbstractStatisticsNorm


class AbstractInstanceNorm(AbstractStatisticsNorm):
    """What layers share that normalise each channel of each example.

    y = (x - μ) / √(σ² + eps) · w + b, moments over all axes after the channels.

    Args:
        num_features: number of channels.
        eps: added to the variance.
        momentum: weight of an input in the running statistics.
        affine: whether there are w, which starts at 1, and b, which starts at 0.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        device: of parameters and buffers.
        dtype: of parameters and running statistics, floating.

    Raises:
        ShapeError: an input with another number of axes, or of another size.
        ArgumentError: one value per channel and example.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input: (n, num_features, ...), or the same without n."""
        axes = type(self).axes
        channel = input.ndim - axes - 1
        if channel not in (0, 1) or input.shape[channel] != self.num_features:
            rule = f"an input with {axes + 1} or {axes + 2} axes and {self.num_features} channels"
            raise problem(ShapeError, type(self).__name__, rule, str(input.shape))
        if channel == 0:
            return self._normalised(input.reshape((1, *input.shape))).reshape(input.shape)
        return self._normalised(input)

    def _normalised(self, input: Tensor) -> Tensor:
        own = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        statistics = (self.running_mean, self.running_var)
        return functional.instance_norm(input, *statistics, self.weight, self.bias, own, momentum, self.eps)


@final
class InstanceNorm1d(AbstractInstanceNorm):
    """Normalises each channel of each of a batch of signals. Arguments as in `AbstractInstanceNorm`.

    Attributes:
        weight: w, shape (num_features,), or None.
        bias: b, shape (num_features,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.InstanceNorm1d(3)(ts.ones((2, 3, 8))).shape
        (2, 3, 8)

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """

    axes = 1


@final
class InstanceNorm2d(AbstractInstanceNorm):
    """Normalises each channel of each of a batch of images. Arguments as in `AbstractInstanceNorm`.

    Attributes:
        weight: w, shape (num_features,), or None.
        bias: b, shape (num_features,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.InstanceNorm2d(3)(ts.ones((2, 3, 4, 4))).shape
        (2, 3, 4, 4)

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """

    axes = 2


@final
class InstanceNorm3d(AbstractInstanceNorm):
    """Normalises each channel of each of a batch of volumes. Arguments as in `AbstractInstanceNorm`.

    Attributes:
        weight: w, shape (num_features,), or None.
        bias: b, shape (num_features,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.InstanceNorm3d(3)(ts.ones((2, 3, 2, 4, 4))).shape
        (2, 3, 2, 4, 4)

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """

    axes = 3
