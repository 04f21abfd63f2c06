"""Losses of distances: pairs and triplets that shall lie near or apart."""

from collections.abc import Callable

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import Reduction, call
from trainsmith.nn.functional._distance import pairwise_distance


def hinge_embedding_loss(
    input: Tensor, target: Tensor, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Asks for small distances of what belongs together, and large ones of the rest.

    l_i = x_i if y_i = 1, max(0, margin - x_i) if y_i = -1.

    Args:
        input: distances, any shape.
        target: -1 or 1, shape of `input`.
        margin: what counts as a large distance.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.hinge_embedding_loss(ts.asarray([2.0, 0.5]), ts.asarray([1.0, -1.0])))
        1.25

    Source: Hadsell, Chopra and LeCun 2006, without the squares.
    """
    return call("hinge_embedding_loss", input, target, margin=margin, reduction=reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, *, margin: float = 0.0, reduction: Reduction = "mean"
) -> Tensor:
    """Asks for one score to lie above another.

    l_i = max(0, -y_i (x1_i - x2_i) + margin).

    Args:
        input1: scores, any shape.
        input2: scores, shape of `input1`.
        target: 1 where `input1` shall be larger, -1 where `input2`; shape of `input1`.
        margin: by how much.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input1` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.margin_ranking_loss(ts.asarray([1.0]), ts.asarray([3.0]), ts.asarray([1.0])))
        2.0
    """
    return call("margin_ranking_loss", input1, input2, target, margin=margin, reduction=reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, *, margin: float = 0.0, reduction: Reduction = "mean"
) -> Tensor:
    """Asks for small angles between what belongs together, and large ones of the rest.

    l_i = 1 - cos(x1_i, x2_i) if y_i = 1, max(0, cos(x1_i, x2_i) - margin) if y_i = -1.

    Args:
        input1: vectors, shape (n, d) or (d,).
        input2: vectors, shape of `input1`.
        target: -1 or 1, shape (n,) or ().
        margin: the cosine from which on an angle counts as small, -1 to 1.
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or (n,) for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.cosine_embedding_loss(ts.asarray([1.0, 0.0]), ts.asarray([0.0, 1.0]), ts.asarray(1)))
        1.0
    """
    return call("cosine_embedding_loss", input1, input2, target, margin=margin, reduction=reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Asks for an anchor to lie nearer to its like than to others.

    l_i = max(0, d(a_i, p_i) - d(a_i, n_i) + margin), d(a, b) = ‖a - b + eps‖_p.

    Args:
        anchor: vectors, shape (n, d) or (d,).
        positive: what shall lie near, shape of `anchor`.
        negative: what shall lie apart, shape of `anchor`.
        margin: how much nearer, above 0.
        p: which norm: at least 0, or infinity.
        eps: added to each difference.
        swap: whether the distance of negative and positive counts where it is the smaller one.
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or (n,) for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction, a negative `p`, or a `margin` that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.triplet_margin_loss(ts.asarray([0.0]), ts.asarray([2.0]), ts.asarray([1.0]), eps=0.0))
        2.0

    Source: Balntas et al. 2016.
    """
    options = {"margin": margin, "p": p, "eps": eps, "swap": swap, "reduction": reduction}
    return call("triplet_margin_loss", anchor, positive, negative, **options)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Asks for an anchor to lie nearer to its like than to others, by a distance of your own.

    l_i = max(0, d(a_i, p_i) - d(a_i, n_i) + margin).

    Args:
        anchor: vectors, shape (n, d) or (d,).
        positive: what shall lie near, shape of `anchor`.
        negative: what shall lie apart, shape of `anchor`.
        distance_function: of two tensors; `pairwise_distance` where None.
        margin: how much nearer, above 0.
        swap: whether the distance of negative and positive counts where it is the smaller one.
        reduction: `mean` or `sum` over all examples, or `none`.

    Returns:
        Shape (), or that of the distances for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction, or a `margin` that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x, y, z = ts.asarray([[0.0]]), ts.asarray([[2.0]]), ts.asarray([[1.0]])
        >>> loss = nn.functional.triplet_margin_with_distance_loss
        >>> float(loss(x, y, z, distance_function=lambda a, b: ts.abs(a - b)))
        2.0

    Source: Balntas et al. 2016.
    """
    distance = distance_function or pairwise_distance
    near, apart = distance(anchor, positive), distance(anchor, negative)
    if swap:
        apart = call("minimum", apart, distance(positive, negative))
    return call("triplet_margin_with_distance_loss", near, apart, margin=margin, reduction=reduction)
