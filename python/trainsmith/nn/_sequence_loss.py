"""Losses of sequences, as modules."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import Reduction


@final
class CTCLoss(Module):
    """Gives the negative log-likelihood of labels without known places in a sequence.

    l_i = -log Σ over alignments of Π_t p_t, where an alignment names a class at each time, and gives the labels
    once repetitions, then blanks are taken out.

    Args:
        blank: the class that stands for no label.
        reduction: `mean`, where each loss is divided by its number of labels first, `sum` or `none`.
        zero_infinity: whether a loss that no alignment makes finite, and its gradient, are 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> log_probs = ts.log(ts.asarray([[0.5, 0.5], [0.5, 0.5]]))
        >>> round(float(ts.exp(-nn.CTCLoss()(log_probs, ts.asarray([1]), (2,), (1,)))), 4)
        0.75

    Source: Graves, Fernández, Gomez and Schmidhuber 2006.
    """

    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__()
        self.blank = blank
        self.reduction: Reduction = reduction
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Tensor | Sequence[int],
        target_lengths: Tensor | Sequence[int],
    ) -> Tensor:
        """Compares log-probabilities with labels; see `functional.ctc_loss`."""
        return functional.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            blank=self.blank,
            reduction=self.reduction,
            zero_infinity=self.zero_infinity,
        )
