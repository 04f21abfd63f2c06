"""Losses. Shapes that would broadcast by accident are errors."""

from typing import Literal

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call

Reduction = Literal["none", "mean", "sum"]


def mse_loss(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Gives the mean squared error.

    l_i = (x_i - y_i)².

    Args:
        input: any shape.
        target: shape of `input`.
        reduction: `mean` or `sum` over all elements, or `none`.

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
    return call("mse_loss", input, target, reduction=reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Gives the cross-entropy of scores and classes.

    l_i = -w_y log softmax(x_i)_y; with label smoothing s, (1 - s) of that and s / C of the sum over all classes. For
    probabilities, l_i = -Σ_c w_c y_c log softmax(x_i)_c.

    Args:
        input: scores, shape (n, classes), (n, classes, ...) or (classes,), floating.
        target: classes, integers of shape (n,), (n, ...) or (); or probabilities, floats of the shape of `input`.
        weight: of each class, shape (classes,).
        ignore_index: a class that counts for nothing.
        reduction: `mean` (for classes, divided by the sum of their weights), `sum` or `none`.
        label_smoothing: share of each target that is spread over all classes, in [0, 1].

    Returns:
        Shape (), or that of `input` without classes for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a class outside [0, classes).
        ArgumentError: another reduction, or a smoothing outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> loss = nn.functional.cross_entropy(ts.asarray([[0.0, 0.0]]), ts.asarray([1]))
        >>> round(float(loss), 4)
        0.6931
    """
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
    return call("cross_entropy", input, target, weight, **options)


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
