"""Quantiles of a loss, checked."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError


def quantile_levels(op: str, quantile: float | Sequence[float], rising: bool, like: Tensor) -> Tensor:
    """Gives quantiles as a tensor on the device of another, shape () for one number.

    Raises:
        ArgumentError: one outside (0, 1), none, or ones that do not rise where they shall.
    """
    levels = (quantile,) if isinstance(quantile, (int, float)) else tuple(quantile)
    if not levels or not all(0 < q < 1 for q in levels):
        raise problem(ArgumentError, op, "quantiles in (0, 1)", str(quantile))
    if rising and (len(levels) < 2 or any(low >= high for low, high in pairwise(levels))):
        raise problem(ArgumentError, op, "several rising quantiles for non_crossing=True", str(quantile))
    # A GPU has no float64; the loss casts to the dtype of its input.
    dtype = np.float32 if like.device.startswith("gpu") else np.float64
    return asarray(np.asarray(quantile, dtype=dtype), device=like.device)
