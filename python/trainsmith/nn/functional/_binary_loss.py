"""Losses of answers that are yes or no. Shapes that would broadcast by accident are errors."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import Reduction, call


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: Reduction = "mean"
) -> Tensor:
    """Gives the binary cross-entropy of probabilities.

    l_i = -w_i (y_i log x_i + (1 - y_i) log(1 - x_i)); logarithms stop at -100. Scores have
    `binary_cross_entropy_with_logits`, which is exact near 0 and 1.

    Args:
        input: probabilities, any shape; one outside [0, 1] gives NaN.
        target: probabilities, shape of `input`.
        weight: of each element, of a shape that broadcasts to that of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.binary_cross_entropy(ts.asarray([0.5]), ts.asarray([1.0]))), 4)
        0.6931
    """
    return call("binary_cross_entropy", input, target, weight, reduction=reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Gives the binary cross-entropy of scores, exact also for large ones.

    l_i = -w_i (p y_i log σ(x_i) + (1 - y_i) log(1 - σ(x_i))).

    Args:
        input: scores, any shape, floating.
        target: probabilities, shape of `input`.
        weight: of each element, of a shape that broadcasts to that of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.
        pos_weight: weight p of positive answers, of a shape that broadcasts to that of `input`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> loss = nn.functional.binary_cross_entropy_with_logits(ts.asarray([1000.0]), ts.asarray([0.0]))
        >>> float(loss)
        1000.0
    """
    return call("binary_cross_entropy_with_logits", input, target, weight, pos_weight, reduction=reduction)


def soft_margin_loss(input: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Gives the logistic loss of scores and signs.

    l_i = log(1 + exp(-y_i x_i)).

    Args:
        input: scores, any shape.
        target: -1 or 1, shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.soft_margin_loss(ts.asarray([-1000.0]), ts.asarray([1.0])))
        1000.0
    """
    return call("soft_margin_loss", input, target, reduction=reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: Reduction = "mean"
) -> Tensor:
    """Gives the binary cross-entropy of scores, a mean over classes for each example.

    l_i = -1 / C · Σ_c w_c (y_ic log σ(x_ic) + (1 - y_ic) log σ(-x_ic)).

    Args:
        input: scores, shape (..., classes).
        target: probabilities, shape of `input`.
        weight: of each class, of a shape that broadcasts to that of `input`.
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or that of `input` without classes for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.multilabel_soft_margin_loss(ts.zeros((1, 2)), ts.asarray([[1.0, 0.0]]))), 4)
        0.6931
    """
    return call("multilabel_soft_margin_loss", input, target, weight, reduction=reduction)
