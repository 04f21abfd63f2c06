"""Losses of sequences whose alignment is not known."""

from collections.abc import Sequence

import numpy as np

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, recording
from trainsmith.nn.functional._call import Reduction, call


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Gives the negative log-likelihood of labels without known places in a sequence.

    l_i = -log Σ over alignments of Π_t p_t, where an alignment names a class at each time, and gives the labels
    once repetitions, then blanks are taken out. The gradient by `log_probs` is, as in torch, the one by the scores
    under a log_softmax.

    Args:
        log_probs: logarithms of probabilities, shape (time, n, classes) or (time, classes), floating; such as
            `log_softmax` gives.
        targets: labels, integers of shape (n, longest), padded with anything, or (Σ target_lengths,), one example after
            another.
        input_lengths: of each example, shape (n,), at most time.
        target_lengths: of each example, shape (n,).
        blank: the class that stands for no label.
        reduction: `mean`, where each loss is divided by its number of labels first, `sum` or `none`.
        zero_infinity: whether a loss that no alignment makes finite, and its gradient, are 0.

    Returns:
        Shape (), or (n,) for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        IndexRangeError: a length or label out of range.
        ArgumentError: another reduction, or a `blank` that is no class.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> log_probs = ts.log(ts.asarray([[0.5, 0.5], [0.5, 0.5]]))
        >>> loss = nn.functional.ctc_loss(log_probs, ts.asarray([1]), (2,), (1,))
        >>> round(float(ts.exp(-loss)), 4)
        0.75

    Source: Graves, Fernández, Gomez and Schmidhuber 2006, equations 5 to 8.
    """
    options = {"blank": blank, "reduction": reduction, "zero_infinity": zero_infinity}
    longest = _longest(targets, target_lengths)
    steps, counts = (as_lengths(given) for given in (input_lengths, target_lengths))
    return call("ctc_loss", log_probs, targets, steps, counts, longest=longest, **options)


def as_lengths(given: Tensor | Sequence[int]) -> Tensor:
    """Gives lengths as a tensor."""
    return given if isinstance(given, Tensor) else asarray(np.asarray(given, dtype=np.int64))


def _longest(targets: Tensor, lengths: Tensor | Sequence[int]) -> int | None:
    """Gives the most labels of an example where concatenated targets do not say it and a value may be read."""
    if targets.ndim != 1:
        return None
    if not isinstance(lengths, Tensor):
        return max(lengths, default=0)
    return None if recording() or lengths.size == 0 else int(np.asarray(lengths).max())
