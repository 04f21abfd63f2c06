"""Losses of distances, as modules."""

from collections.abc import Callable
from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import Reduction


@final
class HingeEmbeddingLoss(Module):
    """Asks for small distances of what belongs together, and large ones of the rest.

    l_i = x_i if y_i = 1, max(0, margin - x_i) if y_i = -1.

    Args:
        margin: what counts as a large distance.
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.HingeEmbeddingLoss()(ts.asarray([2.0, 0.5]), ts.asarray([1.0, -1.0])))
        1.25

    Source: Hadsell, Chopra and LeCun 2006, without the squares.
    """

    def __init__(self, *, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.margin = margin
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.hinge_embedding_loss`."""
        return functional.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


@final
class MarginRankingLoss(Module):
    """Asks for one score to lie above another.

    l_i = max(0, -y_i (x1_i - x2_i) + margin).

    Args:
        margin: by how much.
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.MarginRankingLoss()(ts.asarray([1.0]), ts.asarray([3.0]), ts.asarray([1.0])))
        2.0
    """

    def __init__(self, *, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.margin = margin
        self.reduction: Reduction = reduction

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """See `functional.margin_ranking_loss`."""
        return functional.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


@final
class CosineEmbeddingLoss(Module):
    """Asks for small angles between what belongs together, and large ones of the rest.

    l_i = 1 - cos(x1_i, x2_i) if y_i = 1, max(0, cos(x1_i, x2_i) - margin) if y_i = -1.

    Args:
        margin: the cosine from which on an angle counts as small, -1 to 1.
        reduction: `mean` or `sum` over all examples, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.CosineEmbeddingLoss()(ts.asarray([[1.0, 0.0]]), ts.asarray([[0.0, 1.0]]), ts.asarray([1])))
        1.0
    """

    def __init__(self, *, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.margin = margin
        self.reduction: Reduction = reduction

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """See `functional.cosine_embedding_loss`."""
        return functional.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


@final
class TripletMarginLoss(Module):
    """Asks for an anchor to lie nearer to its like than to others.

    l_i = max(0, d(a_i, p_i) - d(a_i, n_i) + margin), d(a, b) = ‖a - b + eps‖_p.

    Args:
        margin: how much nearer, above 0.
        p: which norm: at least 0, or infinity.
        eps: added to each difference.
        swap: whether the distance of negative and positive counts where it is the smaller one.
        reduction: `mean` or `sum` over all examples, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.TripletMarginLoss(eps=0.0)(ts.asarray([[0.0]]), ts.asarray([[2.0]]), ts.asarray([[1.0]])))
        2.0

    Source: Balntas et al. 2016.
    """

    def __init__(
        self,
        *,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap
        self.reduction: Reduction = reduction

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """See `functional.triplet_margin_loss`."""
        return functional.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


@final
class TripletMarginWithDistanceLoss(Module):
    """Asks for an anchor to lie nearer to its like than to others, by a distance of your own.

    l_i = max(0, d(a_i, p_i) - d(a_i, n_i) + margin).

    Args:
        distance_function: of two tensors; `pairwise_distance` where None.
        margin: how much nearer, above 0.
        swap: whether the distance of negative and positive counts where it is the smaller one.
        reduction: `mean` or `sum` over all examples, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: ts.abs(a - b))
        >>> float(loss(ts.asarray([[0.0]]), ts.asarray([[2.0]]), ts.asarray([[1.0]])))
        2.0

    Source: Balntas et al. 2016.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap
        self.reduction: Reduction = reduction

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """See `functional.triplet_margin_with_distance_loss`."""
        return functional.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
