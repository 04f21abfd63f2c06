"""Losses of order and proportion, as modules."""

from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class CorrelationLoss(Module):
    """Gives minus Pearson's correlation over a batch.

    l = -Σ (x - x̄) (y - ȳ) / √(Σ (x - x̄)² Σ (y - ȳ)²); 0 with zero gradient where a variance is below 1e-24.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.CorrelationLoss()(ts.asarray([1.0, 2.0, 3.0]), ts.asarray([3.0, 2.0, 1.0]))), 4)
        1.0
    """

    def forward(self, input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Compares two tensors of one shape along axis 0; see `functional.correlation_loss`."""
        return functional.correlation_loss(input, target, weight=weight)


@final
class SpearmanLoss(Module):
    """Gives minus a smooth rank correlation over a batch.

    l = -correlation(r(x), rank(y)), r(x)_i = Σ_j σ((x_i - x_j) / (t s)), s the standard deviation of x. Scale and
    offset of x do not matter, and equal targets share their mean rank.

    Args:
        temperature: how smooth the ranks are, in standard deviations of inputs, above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x, y = ts.asarray([1.0, 2.0, 9.0]), ts.asarray([1.0, 2.0, 3.0])
        >>> float(nn.SpearmanLoss(temperature=0.01)(x, y)) < -0.99
        True

    Source: Qin, Liu and Li 2010, section 4.1.
    """

    def __init__(self, *, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.spearman_loss`."""
        return functional.spearman_loss(input, target, temperature=self.temperature)


@final
class SharpeLoss(Module):
    """Gives minus the Sharpe ratio of a portfolio.

    l = -mean(r) / std(r), r_t = Σ_a softmax(weight_logits_t)_a returns_ta, std that of the population. 0 with zero
    gradient where it is below 1e-8, or below what rounding makes of equal returns.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.SharpeLoss()(ts.zeros((2, 2)), ts.asarray([[1.0, 1.0], [3.0, 3.0]])))
        -2.0

    Source: Zhang, Zohren and Roberts 2020.
    """

    def forward(self, weight_logits: Tensor, returns: Tensor) -> Tensor:
        """See `functional.sharpe_loss`."""
        return functional.sharpe_loss(weight_logits, returns)


@final
class RoutingDiversityLoss(Module):
    """Gives the mean cosine between pairs of heads, a penalty on heads that look alike.

    l = scale · mean over b and i < j of h_bi · h_bj / (‖h_bi‖ ‖h_bj‖ + 1e-12).

    Args:
        scale: factor of the loss.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.RoutingDiversityLoss()(ts.asarray([[1.0, 0.0], [2.0, 0.0]])))
        1.0
    """

    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, heads: Tensor) -> Tensor:
        """See `functional.routing_diversity_loss`."""
        return functional.routing_diversity_loss(heads, scale=self.scale)
