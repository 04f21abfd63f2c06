"""Losses of the distance between numbers, as modules."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import Reduction


@final
class MSELoss(Module):
    """Gives the mean squared error.

    l_i = (x_i - y_i)².

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.MSELoss()(ts.asarray([1.0, 2.0]), ts.asarray([1.0, 4.0])))
        2.0
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares two tensors of one shape; see `functional.mse_loss`."""
        return functional.mse_loss(input, target, reduction=self.reduction)


@final
class L1Loss(Module):
    """Gives the mean absolute error.

    l_i = |x_i - y_i|.

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.L1Loss()(ts.asarray([1.0, 2.0]), ts.asarray([1.0, 4.0])))
        1.0
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares two tensors of one shape; see `functional.l1_loss`."""
        return functional.l1_loss(input, target, reduction=self.reduction)


@final
class HuberLoss(Module):
    """Gives the squared error where it is small, and a line where it is large.

    l_i = e² / 2 if |e| < δ, else δ (|e| - δ / 2), e = x_i - y_i.

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.
        delta: δ, above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.HuberLoss()(ts.asarray([1.0, 4.0]), ts.asarray([0.0, 0.0])))
        2.0

    Source: Huber 1964.
    """

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__()
        self.reduction: Reduction = reduction
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares two tensors of one shape; see `functional.huber_loss`."""
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


@final
class SmoothL1Loss(Module):
    """Gives the absolute error with a round bottom.

    l_i = e² / (2 β) if |e| < β, else |e| - β / 2, e = x_i - y_i.

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.
        beta: β, at least 0; 0 gives `L1Loss`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.SmoothL1Loss(beta=2.0)(ts.asarray([1.0, 4.0]), ts.asarray([0.0, 0.0])))
        1.625

    Source: Girshick 2015, equation 3.
    """

    def __init__(self, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__()
        self.reduction: Reduction = reduction
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares two tensors of one shape; see `functional.smooth_l1_loss`."""
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


@final
class QuantileLoss(Module):
    """Gives the pinball loss, whose least value lies at a quantile.

    l = max(q e, (q - 1) e), e = y - x; the derivative by x is -q where y ≥ x, else 1 - q.

    Args:
        quantile: q in (0, 1), or several, for which inputs have one more axis than targets.
        reduction: `mean` or `sum` over all elements, or `none`.
        non_crossing: whether to put the predictions of each example in order first; needs rising quantiles.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.QuantileLoss(0.75)(ts.asarray([1.0]), ts.asarray([2.0])))
        0.75

    Source: Koenker and Bassett 1978.
    """

    def __init__(
        self, quantile: float | Sequence[float], *, reduction: Reduction = "mean", non_crossing: bool = False
    ) -> None:
        super().__init__()
        self.quantile = quantile
        self.reduction: Reduction = reduction
        self.non_crossing = non_crossing

    def forward(self, input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Compares predictions with targets; see `functional.quantile_loss`."""
        return functional.quantile_loss(
            input,
            target,
            self.quantile,
            weight=weight,
            reduction=self.reduction,
            non_crossing=self.non_crossing,
        )

    def extra_repr(self) -> str:
        """Names the quantiles."""
        return f"quantile={self.quantile}"
