"""From a loss to the number that is differentiated: weighted means, and how much each part of a batch counts."""

from typing import Any, cast

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.data._wording import worded
from trainsmith.errors import ArgumentError, ShapeError

_OP = "loss"


def objective(loss: Any, output: Any, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Computes the loss of a batch as a tensor without axes.

    L = Σ w l / Σ w over the elements l that the loss gives; w is 1 without weights. Where all weights are 0, so is L.

    Args:
        loss: a loss module, or a function of output and targets.
        output: what the model gives.
        targets: what it should give.
        weights: shape of the leading axes of the elements.

    Returns:
        The loss, shape ().

    Raises:
        ArgumentError: weights, and a loss that has taken the mean already.
        ShapeError: weights that do not fit.
    """
    values = loss(output, targets)
    if weights is None:
        return values if values.ndim == 0 else values.mean()
    if values.ndim == 0:
        raise worded(
            ArgumentError,
            _OP,
            "weights need a loss with one value per row",
            expected='a loss with reduction="none"',
            got="a loss without axes",
            step='make the loss with reduction="none"; the weighted mean is taken here',
        )
    if tuple(values.shape[: weights.ndim]) != tuple(weights.shape):
        raise worded(
            ShapeError,
            _OP,
            "weights must have the leading axes of the loss",
            expected=f"leading axes of {tuple(values.shape)}",
            got=str(tuple(weights.shape)),
            step="pass one weight per row, or per element",
        )
    spread = weights.astype(values.dtype).reshape((*weights.shape, *(1,) * (values.ndim - weights.ndim)))
    share = values.size // max(1, weights.size)
    total = spread.sum() * share
    return (values * spread).sum() / ts.where(ts.equal(total, 0), ts.ones_like(total), total)


def amount(loss: Any, targets: Tensor, weights: Tensor | None = None) -> Tensor | int | None:
    """Says how much a batch counts beside others: what the mean of `objective` divides by.

    Args:
        loss: a loss module, or a function of output and targets.
        targets: of the batch.
        weights: of the batch.

    Returns:
        The sum of the weights; without them the number of targets that the loss does not ignore, with its class weights
        where it has them; else the number of rows. None for a loss with `reduction="sum"`, which parts just add up to.
    """
    if weights is not None:
        return weights.sum()
    while hasattr(loss, "main"):
        loss = loss.main
    reduction = getattr(loss, "reduction", None)
    if reduction == "sum":
        return None
    ignored = getattr(loss, "ignore_index", None)
    rows = targets.shape[0] if targets.ndim else 1
    if reduction != "mean" or ignored is None or targets.dtype.is_floating:
        return rows
    counted = ts.not_equal(targets, ignored)
    classes = cast("Tensor | None", getattr(loss, "weight", None))
    if classes is None:
        return counted.astype(ts.float32 if targets.device.startswith("gpu") else ts.float64).sum()
    picked = ts.take(classes, ts.where(counted, targets, 0).flatten()).reshape(targets.shape)
    return (picked * counted.astype(picked.dtype)).sum()
