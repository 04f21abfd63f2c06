"""Lengths, distances and angles."""

from collections.abc import Sequence

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call


def normalize(input: Tensor, p: float = 2.0, axis: int | Sequence[int] = 1, eps: float = 1e-12) -> Tensor:
    """Divides vectors by their length.

    y = x / max(‖x‖_p, eps).

    Args:
        input: any shape; integers become float32.
        p: which norm: at least 0, or infinity.
        axis: where the vectors lie.
        eps: least length.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: a negative `p`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.normalize(ts.asarray([[3.0, 4.0], [0.0, 0.0]]), axis=1).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    axes = axis if isinstance(axis, int) else tuple(axis)
    return call("normalize", input, p=p, axis=axes, eps=eps)


def cosine_similarity(x1: Tensor, x2: Tensor, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """Gives the cosine of the angle between vectors.

    cos = Σ x1 x2 / (max(‖x1‖, eps) max(‖x2‖, eps)).

    Args:
        x1: any shape; integers become float32.
        x2: a shape that broadcasts with that of `x1`.
        axis: where the vectors lie, in the common shape.
        eps: least length.

    Returns:
        The common shape without `axis`.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.cosine_similarity(ts.asarray([[1.0, 0.0]]), ts.asarray([[-2.0, 0.0]])).tolist()
        [-1.0]
    """
    return call("cosine_similarity", x1, x2, axis=axis, eps=eps)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Tensor:
    """Gives the distance of vectors along the last axis.

    d = ‖x1 - x2 + eps‖_p.

    Args:
        x1: at least one axis; integers become float32.
        x2: a shape that broadcasts with that of `x1`.
        p: which norm: at least 0, or infinity.
        eps: added to each difference, so that the slope at 0 is defined.
        keepdims: whether the last axis stays, with size 1.

    Returns:
        The common shape without, or with size 1 on, the last axis.

    Raises:
        ShapeError: shapes that do not broadcast, or no axis.
        ArgumentError: a negative `p`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.pairwise_distance(ts.asarray([[3.0, 4.0]]), ts.zeros((1, 2)), eps=0.0).tolist()
        [5.0]
    """
    return call("pairwise_distance", x1, x2, p=p, eps=eps, keepdims=keepdims)
