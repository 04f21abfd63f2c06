"""Losses as modules."""

from typing import Literal, final

from trainsmith._core import Buffer, Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module

Reduction = Literal["none", "mean", "sum"]


@final
class MSELoss(Module):
    """Gives the mean squared error.

    l_i = (x_i - y_i)².

    Args:
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.MSELoss()(ts.asarray([1.0, 2.0]), ts.asarray([1.0, 4.0])))
        2.0
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares two tensors of one shape; see `functional.mse_loss`."""
        return functional.mse_loss(input, target, reduction=self.reduction)


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
