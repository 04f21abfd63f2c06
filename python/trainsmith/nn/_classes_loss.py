"""Losses of scores and classes, as modules."""

from typing import final

from trainsmith._core import Buffer, Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import Reduction


@final
class CrossEntropyLoss(Module):
    """Gives the cross-entropy of scores and classes.

    l_i = -w_y log softmax(x_i)_y.

    Args:
        weight: of each class, shape (classes,).
        ignore_index: a class that counts for nothing.
        reduction: `mean` (for classes, divided by the sum of their weights), `sum` or `none`.
        label_smoothing: share of each target that is spread over all classes, in [0, 1].

    Attributes:
        weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.CrossEntropyLoss()(ts.asarray([[0.0, 0.0]]), ts.asarray([1]))), 4)
        0.6931
    """

    weight: Buffer | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction: Reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares scores with classes or probabilities; see `functional.cross_entropy`."""
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


@final
class NLLLoss(Module):
    """Gives the negative log-likelihood of classes.

    l_i = -w_y x_iy, x the logarithms of probabilities.

    Args:
        weight: of each class, shape (classes,).
        ignore_index: a class that counts for nothing.
        reduction: `mean` (divided by the sum of the weights), `sum` or `none`.

    Attributes:
        weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.NLLLoss()(ts.asarray([[-1.0, -2.0]]), ts.asarray([1])))
        2.0
    """

    weight: Buffer | None

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.nll_loss`."""
        return functional.nll_loss(
            input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


@final
class FocalLoss(Module):
    """Gives a cross-entropy that counts easy examples less.

    l_i = -α (1 - p_i)^γ log p_i, p_i the probability of the truth.

    Args:
        gamma: γ, at least 0; 0 gives the cross-entropy.
        alpha: for questions the weight of a yes, where 1 - α is that of a no; for classes one weight.
        reduction: `mean` or `sum` over all examples, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.FocalLoss()(ts.asarray([0.0]), ts.asarray([1.0]))), 4)
        0.1733

    Source: Lin et al. 2017, equation 5.
    """

    def __init__(self, *, gamma: float = 2.0, alpha: float | None = None, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares scores with answers or classes; see `functional.focal_loss`."""
        return functional.focal_loss(input, target, gamma=self.gamma, alpha=self.alpha, reduction=self.reduction)


@final
class MultiMarginLoss(Module):
    """Asks for the score of the true class to lie above the others.

    l_i = w_y / C · Σ_{c ≠ y} max(0, margin - x_iy + x_ic)^p.

    Args:
        p: 1 or 2.
        margin: how far above.
        weight: of each class, shape (classes,).
        reduction: `mean` or `sum` over all examples, or `none`.

    Attributes:
        weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.MultiMarginLoss()(ts.asarray([[0.0, 0.5]]), ts.asarray([1])))
        0.25

    Source: Weston and Watkins 1999.
    """

    weight: Buffer | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.multi_margin_loss`."""
        return functional.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


@final
class MultiLabelMarginLoss(Module):
    """Asks for the scores of all true classes to lie above the others by 1.

    l_i = 1 / C · Σ_{j true} Σ_{c false} max(0, 1 - x_ij + x_ic).

    Args:
        reduction: `mean` or `sum` over all examples, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.MultiLabelMarginLoss()(ts.asarray([0.0, 0.5]), ts.asarray([1, -1])))
        0.25
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.multilabel_margin_loss`."""
        return functional.multilabel_margin_loss(input, target, reduction=self.reduction)
