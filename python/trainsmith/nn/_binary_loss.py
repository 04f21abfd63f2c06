"""Losses of answers that are yes or no, as modules."""

from typing import final

from trainsmith._core import Buffer, Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import Reduction


@final
class BCELoss(Module):
    """Gives the binary cross-entropy of probabilities.

    l_i = -w_i (y_i log x_i + (1 - y_i) log(1 - x_i)); logarithms stop at -100. Scores have
    `binary_cross_entropy_with_logits`, which is exact near 0 and 1.

    Args:
        weight: of each element, of a shape that broadcasts to that of inputs.
        reduction: `mean` or `sum` over all elements, or `none`.

    Attributes:
        weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.BCELoss()(ts.asarray([0.5]), ts.asarray([1.0]))), 4)
        0.6931
    """

    weight: Buffer | None

    def __init__(self, weight: Tensor | None = None, *, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.binary_cross_entropy`."""
        return functional.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


@final
class BCEWithLogitsLoss(Module):
    """Gives the binary cross-entropy of scores.

    l_i = -w_i (p y_i log σ(x_i) + (1 - y_i) log(1 - σ(x_i))).

    Args:
        weight: of each element, of a shape that broadcasts to that of inputs.
        reduction: `mean` or `sum` over all elements, or `none`.
        pos_weight: weight p of positive answers, of a shape that broadcasts to that of inputs.

    Attributes:
        weight: a buffer, or None.
        pos_weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.BCEWithLogitsLoss()(ts.asarray([1000.0]), ts.asarray([0.0])))
        1000.0
    """

    weight: Buffer | None
    pos_weight: Buffer | None

    def __init__(
        self, weight: Tensor | None = None, *, reduction: Reduction = "mean", pos_weight: Tensor | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares scores with probabilities; see `functional.binary_cross_entropy_with_logits`."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


@final
class SoftMarginLoss(Module):
    """Gives the logistic loss of scores and signs.

    l_i = log(1 + exp(-y_i x_i)).

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.SoftMarginLoss()(ts.asarray([-1000.0]), ts.asarray([1.0])))
        1000.0
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.soft_margin_loss`."""
        return functional.soft_margin_loss(input, target, reduction=self.reduction)


@final
class MultiLabelSoftMarginLoss(Module):
    """Gives the binary cross-entropy of scores, a mean over classes for each example.

    l_i = -1 / C · Σ_c w_c (y_ic log σ(x_ic) + (1 - y_ic) log σ(-x_ic)).

    Args:
        weight: of each class, of a shape that broadcasts to that of inputs.
        reduction: `mean` or `sum` over all examples, or `none`.

    Attributes:
        weight: a buffer, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.MultiLabelSoftMarginLoss()(ts.zeros((1, 2)), ts.asarray([[1.0, 0.0]]))), 4)
        0.6931
    """

    weight: Buffer | None

    def __init__(self, weight: Tensor | None = None, *, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.multilabel_soft_margin_loss`."""
        return functional.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)
