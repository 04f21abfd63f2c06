"""Losses of order and proportion over a batch, and of portfolios and heads."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call


def correlation_loss(input: Tensor, target: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Gives minus Pearson's correlation over a batch.

    l = -Σ w (x - x̄) (y - ȳ) / √(Σ w (x - x̄)² Σ w (y - ȳ)²), the means taken with the same weights; 0 with zero
    gradient where a variance is below 1e-24.

    Args:
        input: at least one axis, the first of which is the batch; each place of the others has a correlation of its
            own, and the loss is their mean.
        target: shape of `input`.
        weight: of each example, of a shape that broadcasts to that of `input`.

    Returns:
        Shape (), values in [-1, 1].

    Raises:
        ShapeError: two shapes, or an empty batch.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.correlation_loss(ts.asarray([1.0, 2.0, 3.0]), ts.asarray([3.0, 2.0, 1.0]))), 4)
        1.0
    """
    return call("correlation_loss", input, target, weight)


def spearman_loss(input: Tensor, target: Tensor, *, temperature: float = 0.1) -> Tensor:
    """Gives minus a smooth rank correlation over a batch.

    l = -correlation(r(x), rank(y)), r(x)_i = Σ_j σ((x_i - x_j) / (t s)), s the standard deviation of x. Scale and
    offset of x do not matter, and equal targets share their mean rank.

    Args:
        input: at least one axis, the first of which is the batch, of n examples; memory grows with n².
        target: shape of `input`; gets no gradient.
        temperature: how smooth the ranks are, in standard deviations of `input`, above 0.

    Returns:
        Shape (), the mean over places of the other axes, values in [-1, 1]; 0 where all inputs or targets are equal.

    Raises:
        ShapeError: two shapes, or an empty batch.
        ArgumentError: a `temperature` that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x, y = ts.asarray([1.0, 2.0, 9.0]), ts.asarray([1.0, 2.0, 3.0])
        >>> float(nn.functional.spearman_loss(x, y, temperature=0.01)) < -0.99
        True

    Source: Qin, Liu and Li 2010, section 4.1.
    """
    return call("spearman_loss", input, target, temperature=temperature)


def sharpe_loss(weight_logits: Tensor, returns: Tensor) -> Tensor:
    """Gives minus the Sharpe ratio of a portfolio.

    l = -mean(r) / std(r), r_t = Σ_a softmax(weight_logits_t)_a returns_ta, std that of the population. 0 with zero
    gradient where it is below 1e-8, or below what rounding makes of equal returns.

    Args:
        weight_logits: shape (periods, assets).
        returns: of each asset, shape of `weight_logits`.

    Returns:
        Shape ().

    Raises:
        ShapeError: two shapes, or none of (periods, assets).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> returns = ts.asarray([[1.0, 1.0], [3.0, 3.0]])
        >>> float(nn.functional.sharpe_loss(ts.zeros((2, 2)), returns))
        -2.0

    Source: Zhang, Zohren and Roberts 2020.
    """
    return call("sharpe_loss", weight_logits, returns)


def routing_diversity_loss(heads: Tensor, *, scale: float = 1.0) -> Tensor:
    """Gives the mean cosine between pairs of heads, a penalty on heads that look alike.

    l = scale · mean over b and i < j of h_bi · h_bj / (‖h_bi‖ ‖h_bj‖ + 1e-12).

    Args:
        heads: shape (batch, heads, length) or (heads, length), floating.
        scale: factor of the loss.

    Returns:
        Shape (); 0 for less than two heads.

    Raises:
        ShapeError: another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.routing_diversity_loss(ts.asarray([[1.0, 0.0], [2.0, 0.0]])))
        1.0
    """
    return call("routing_diversity_loss", heads, scale=scale)
