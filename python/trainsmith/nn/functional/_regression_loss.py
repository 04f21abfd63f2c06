"""Losses of the distance between numbers. Shapes that would broadcast by accident are errors."""

from collections.abc import Sequence

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith.nn.functional._call import Reduction, call
from trainsmith.nn.functional._levels import quantile_levels


def mse_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean", weight: Tensor | None = None) -> Tensor:
    """Gives the mean squared error.

    l_i = w_i (x_i - y_i)².

    Args:
        input: any shape.
        target: shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.
        weight: of each element, of a shape that broadcasts to that of `input`; the mean is divided by their sum.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.mse_loss(ts.asarray([1.0, 2.0]), ts.asarray([1.0, 4.0])))
        2.0
    """
    return call("mse_loss", input, target, weight, reduction=reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean", weight: Tensor | None = None) -> Tensor:
    """Gives the mean absolute error.

    l_i = w_i |x_i - y_i|; the derivative where both are equal is 0.

    Args:
        input: any shape.
        target: shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.
        weight: of each element, of a shape that broadcasts to that of `input`; the mean is divided by their sum.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.l1_loss(ts.asarray([1.0, 2.0]), ts.asarray([1.0, 4.0])))
        1.0
    """
    return call("l1_loss", input, target, weight, reduction=reduction)


def huber_loss(
    input: Tensor, target: Tensor, *, reduction: Reduction = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Gives the squared error where it is small, and a line where it is large.

    l_i = w_i e² / 2 if |e| < δ, else w_i δ (|e| - δ / 2), e = x_i - y_i.

    Args:
        input: any shape.
        target: shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.
        delta: δ, above 0.
        weight: of each element, of a shape that broadcasts to that of `input`; the mean is divided by their sum.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction, or a `delta` that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.huber_loss(ts.asarray([1.0, 4.0]), ts.asarray([0.0, 0.0])))
        2.0

    Source: Huber 1964.
    """
    return call("huber_loss", input, target, weight, reduction=reduction, delta=delta)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: Reduction = "mean", beta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Gives the absolute error with a round bottom.

    l_i = w_i e² / (2 β) if |e| < β, else w_i (|e| - β / 2), e = x_i - y_i: `huber_loss` over β.

    Args:
        input: any shape.
        target: shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.
        beta: β, at least 0; 0 gives `l1_loss`.
        weight: of each element, of a shape that broadcasts to that of `input`; the mean is divided by their sum.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction, or a negative `beta`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.smooth_l1_loss(ts.asarray([1.0, 4.0]), ts.asarray([0.0, 0.0]), beta=2.0))
        1.625

    Source: Girshick 2015, equation 3.
    """
    return call("smooth_l1_loss", input, target, weight, reduction=reduction, beta=beta)


def quantile_loss(
    input: Tensor,
    target: Tensor,
    quantile: float | Sequence[float],
    *,
    weight: Tensor | None = None,
    reduction: Reduction = "mean",
    non_crossing: bool = False,
) -> Tensor:
    """Gives the pinball loss, whose least value lies at a quantile.

    l = max(q e, (q - 1) e), e = y - x; the derivative by x is -q where y ≥ x, else 1 - q.

    Args:
        input: predictions: the shape of `target`; for several quantiles one more axis with a prediction for each.
        target: any shape.
        quantile: q in (0, 1), or several.
        weight: of each example, of a shape that broadcasts to that of `target`; the mean is divided by their sum.
        reduction: `mean` or `sum` over all elements, or `none`.
        non_crossing: whether to put the predictions of each example in order first, so that no quantile lies above a
            higher one; needs rising quantiles. Sort the predictions when you use them, too.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction, a quantile outside (0, 1), or quantiles that do not rise with `non_crossing`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x, y = ts.asarray([[1.0, 2.0]]), ts.asarray([2.0])
        >>> nn.functional.quantile_loss(x, y, (0.25, 0.5), reduction="none").tolist()
        [[0.25, 0.0]]

    Source: Koenker and Bassett 1978; order: Chernozhukov, Fernández-Val and Galichon 2010.
    """
    levels = quantile_levels("quantile_loss", quantile, non_crossing, asarray(input))
    return call("quantile_loss", input, target, levels, weight, reduction=reduction, non_crossing=non_crossing)
