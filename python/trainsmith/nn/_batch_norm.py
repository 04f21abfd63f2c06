"""Normalisation over a batch, as layers with running statistics."""

from typing import ClassVar, cast, final

from trainsmith._core import Buffer, Parameter, Tensor, apply
from trainsmith._dtypes import int64
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ShapeError
from trainsmith.nn import functional, init
from trainsmith.nn._make import full, parameter, positive, zeros
from trainsmith.nn._module import Module


class AbstractStatisticsNorm(Module):
    """What layers share that normalise channels and may keep running statistics.

    Args:
        num_features: size of the channel axis of inputs.
        eps: added to the variance.
        momentum: weight of the batch in the running statistics; None makes them plain averages over all batches.
        affine: whether there are w, which starts at 1, and b, which starts at 0.
        track_running_stats: whether running statistics are kept.
        device: of parameters and buffers.
        dtype: of parameters and running statistics, floating.

    Attributes:
        weight: w, shape (num_features,), or None.
        bias: b, shape (num_features,), or None.
        running_mean: shape (num_features,), or None.
        running_var: shape (num_features,), or None.
        num_batches_tracked: shape (), int64, or None.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Buffer | None
    running_var: Buffer | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        positive(type(self).__name__, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape, tracked = (num_features,), track_running_stats
        self.register_parameter("weight", parameter(shape, dtype, device) if affine else None)
        self.register_parameter("bias", parameter(shape, dtype, device) if affine else None)
        self.register_buffer("running_mean", zeros(shape, dtype, device) if tracked else None)
        self.register_buffer("running_var", zeros(shape, dtype, device) if tracked else None)
        count = full(0, (), int64, device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Puts the running mean to 0, the running variance to 1 and the count to 0."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                init.constant_(buffer, value)

    def reset_parameters(self) -> None:
        """Puts the weight to 1, the bias to 0 and the running statistics to their start."""
        self.reset_running_stats()
        if self.weight is not None and self.bias is not None:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def extra_repr(self) -> str:
        """Names size and options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class AbstractBatchNorm(AbstractStatisticsNorm):
    """What layers share that normalise each feature over a batch, and in evaluation by running statistics.

    Args:
        num_features: size of axis 1 of inputs.
        eps: added to the variance.
        momentum: weight of the batch in the running statistics; None makes them plain averages over all batches.
        affine: whether there are w, which starts at 1, and b, which starts at 0.
        track_running_stats: whether running statistics are kept; otherwise the batch is used in evaluation too.
        device: of parameters and buffers.
        dtype: of parameters and running statistics, floating.

    Raises:
        ShapeError: an input with another number of axes, or of another size.
        ArgumentError: one value per feature in training.
    """

    shapes: ClassVar[tuple[tuple[str, ...], ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input, whose axis 1 has num_features elements."""
        shapes = type(self).shapes
        if input.ndim - 2 not in map(len, shapes) or input.shape[1] != self.num_features:
            wanted = (", ".join(["n", str(self.num_features), *axes]) for axes in shapes)
            rule = f"an input of shape {' or '.join(f'({axes})' for axes in wanted)}"
            raise problem(ShapeError, type(self).__name__, rule, str(input.shape))
        mean, variance = self.running_mean, self.running_var
        training = self.training or mean is None or variance is None
        if self.training and self.num_batches_tracked is not None and mean is not None and variance is not None:
            self.num_batches_tracked += 1
            if self.momentum is None:
                return self._average(input, mean, variance, self.num_batches_tracked)
        tracked = (mean, variance) if not training or self.track_running_stats else (None, None)
        momentum = 0.0 if self.momentum is None else self.momentum
        return functional.batch_norm(input, *tracked, self.weight, self.bias, training, momentum, self.eps)

    def _average(self, input: Tensor, mean: Buffer, variance: Buffer, count: Tensor) -> Tensor:
        """Moves the running statistics by 1 / count of the way to those of the batch."""
        options = {"training": True, "momentum": 1.0, "eps": self.eps}
        tensors = (input, mean.detach(), variance.detach(), self.weight, self.bias)
        output, new_mean, new_variance = cast(tuple[Tensor, Tensor, Tensor], apply("batch_norm", tensors, options))
        share = cast(Tensor, apply("astype", (count,), {"dtype": mean.dtype}))
        mean.copy_(mean + (new_mean.detach() - mean) / share)
        variance.copy_(variance + (new_variance.detach() - variance) / share)
        return output


@final
class BatchNorm1d(AbstractBatchNorm):
    """Normalises each feature over a batch, in evaluation by running statistics. Arguments as in `AbstractBatchNorm`.

    y = (x - μ) / √(σ² + eps) · w + b. In training μ and σ² are moments of the batch; inputs have shape (n, features) or
    (n, features, length).

    Attributes:
        weight: w, shape (num_features,), or None.
        bias: b, shape (num_features,), or None.
        running_mean: shape (num_features,), or None.
        running_var: shape (num_features,), or None; n - 1 in its denominator.
        num_batches_tracked: shape (), int64, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.BatchNorm1d(1)
        >>> layer(ts.asarray([[1.0], [3.0]])).shape, layer.running_mean.shape
        ((2, 1), (1,))

    Source: Ioffe and Szegedy 2015, algorithm 1.
    """

    shapes = ((), ("length",))


@final
class BatchNorm2d(AbstractBatchNorm):
    """Normalises each channel of images, as `BatchNorm1d` does. Arguments as in `AbstractBatchNorm`.

    Inputs have shape (n, num_features, height, width).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.BatchNorm2d(3)(ts.ones((2, 3, 4, 4))).shape
        (2, 3, 4, 4)

    Source: Ioffe and Szegedy 2015, section 3.2.
    """

    shapes = (("height", "width"),)


@final
class BatchNorm3d(AbstractBatchNorm):
    """Normalises each channel of volumes, as `BatchNorm1d` does. Arguments as in `AbstractBatchNorm`.

    Inputs have shape (n, num_features, depth, height, width).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.BatchNorm3d(3)(ts.ones((2, 3, 2, 4, 4))).shape
        (2, 3, 2, 4, 4)

    Source: Ioffe and Szegedy 2015, section 3.2.
    """

    shapes = (("depth", "height", "width"),)
