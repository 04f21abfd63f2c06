"""Losses of scores and classes. Shapes that would broadcast by accident are errors."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import Reduction, call


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


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Gives the negative log-likelihood of classes.

    l_i = -w_y x_iy, x the logarithms of probabilities.

    Args:
        input: log-probabilities, shape (n, classes), (n, classes, ...) or (classes,), floating.
        target: classes, integers of shape (n,), (n, ...) or ().
        weight: of each class, shape (classes,).
        ignore_index: a class that counts for nothing.
        reduction: `mean` (divided by the sum of the weights), `sum` or `none`.

    Returns:
        Shape (), or that of `target` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a class outside [0, classes).
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.nll_loss(ts.asarray([[-1.0, -2.0]]), ts.asarray([1])))
        2.0
    """
    return call("nll_loss", input, target, weight, ignore_index=ignore_index, reduction=reduction)


def focal_loss(
    input: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | Tensor | None = None,
    weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Gives a cross-entropy that counts easy examples less.

    l_i = -α (1 - p_i)^γ log p_i, p_i the probability of the truth. A target of the shape of `input` asks a question
    of each score, p = σ(x) for a yes; else the classes compete, p = softmax(x).

    Args:
        input: scores, any shape for questions, (n, classes), (n, classes, ...) or (classes,) for classes.
        target: answers 0 to 1, shape of `input`; or classes, integers of shape (n,), (n, ...) or ().
        gamma: γ, at least 0; 0 gives the cross-entropy.
        alpha: for questions the weight of a yes, where 1 - α is that of a no; for classes one weight, or one for each.
        weight: of each loss, of a shape that broadcasts to that of `target`; the mean is divided by their sum.
        reduction: `mean` or `sum` over all losses, or `none`.

    Returns:
        Shape (), or that of `target` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a class outside [0, classes).
        ArgumentError: another reduction, or a negative `gamma`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.focal_loss(ts.asarray([0.0]), ts.asarray([1.0]))), 4)
        0.1733

    Source: Lin et al. 2017, equation 5.
    """
    return call("focal_loss", input, target, alpha, weight, gamma=gamma, reduction=reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Asks for the score of the true class to lie above the others.

    l_i = w_y / C · Σ_{c ≠ y} max(0, margin - x_iy + x_ic)^p.

    Args:
        input: scores, shape (n, classes) or (classes,), floating.
        target: classes, integers of shape (n,) or ().
        p: 1 or 2.
        margin: how far above.
        weight: of each class, shape (classes,).
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or (n,) for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a class outside [0, classes).
        ArgumentError: another reduction, or another `p`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.multi_margin_loss(ts.asarray([[0.0, 0.5]]), ts.asarray([1])))
        0.25

    Source: Weston and Watkins 1999.
    """
    return call("multi_margin_loss", input, target, weight, p=p, margin=margin, reduction=reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Asks for the scores of all true classes to lie above the others by 1.

    l_i = 1 / C · Σ_{j true} Σ_{c false} max(0, 1 - x_ij + x_ic).

    Args:
        input: scores, shape (n, classes) or (classes,), floating.
        target: shape of `input`: true classes first, then a negative number.
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or (n,) for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a class outside [0, classes).
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.multilabel_margin_loss(ts.asarray([0.0, 0.5]), ts.asarray([1, -1])))
        0.25
    """
    return call("multilabel_margin_loss", input, target, reduction=reduction)
