"""Borders around tensors."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._call import call

Mode = Literal["constant", "reflect", "replicate", "circular"]
_MODES = ("constant", "reflect", "replicate", "circular")


def pad(input: Tensor, pad: Sequence[int], mode: Mode = "constant", value: float = 0.0) -> Tensor:
    """Puts a border around the last axes.

    Args:
        input: any shape.
        pad: pairs of sizes before and after, the last axis first; negative ones cut off (`constant` only).
        mode: `constant` fills with `value`, `reflect` mirrors without the edge, `replicate` repeats the edge,
            `circular` wraps around.
        value: what `constant` fills with.

    Returns:
        The dtype of `input`, with the padded axes longer by both sizes.

    Raises:
        ShapeError: more pairs than axes, an odd number of sizes, or an axis too short for the mode.
        ArgumentError: another mode.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.pad(ts.asarray([1, 2, 3]), (2, 1), mode="reflect").tolist()
        [3, 2, 1, 2, 3, 2]
    """
    borders = tuple(pad)
    if len(borders) % 2 or len(borders) > 2 * input.ndim:
        rule = f"(before, after) pairs, at most {2 * input.ndim} sizes for shape {input.shape}"
        raise problem(ShapeError, "pad", rule, str(borders))
    if mode not in _MODES:
        raise problem(ArgumentError, "pad", f"a mode among {', '.join(_MODES)}", repr(mode))
    pairs = [(input.ndim - 1 - i, borders[2 * i], borders[2 * i + 1]) for i in range(len(borders) // 2)]
    if mode == "constant":
        return _constant(input, pairs, value)
    for axis, before, after in pairs:
        if before or after:
            index = _positions(input.shape, axis, before, after, mode)
            input = call("take", input, asarray(index, device=input.device), axis=axis)
    return input


def _constant(input: Tensor, pairs: Sequence[tuple[int, int, int]], value: float) -> Tensor:
    starts, kept, low, high = [0] * input.ndim, list(input.shape), [0] * input.ndim, [0] * input.ndim
    for axis, before, after in pairs:
        starts[axis], low[axis], high[axis] = max(-before, 0), max(before, 0), max(after, 0)
        kept[axis] += min(before, 0) + min(after, 0)
        if kept[axis] < 0:
            got = f"{(before, after)} on axis {axis} of shape {input.shape}"
            raise problem(ShapeError, "pad", "cuts of at most the size of the axis", got)
    if tuple(kept) != input.shape:
        input = call("slice", input, starts=tuple(starts), sizes=tuple(kept), steps=(1,) * input.ndim)
    return call("pad", input, low=tuple(low), high=tuple(high), value=float(value))


def _positions(shape: tuple[int, ...], axis: int, before: int, after: int, mode: Mode) -> npt.NDArray[np.int64]:
    size = shape[axis]
    limit = {"reflect": size - 1, "circular": size}.get(mode, size and max(before, after))
    if min(before, after) < 0 or max(before, after) > limit:
        rule = f"borders in [0, {limit}] for mode {mode} on axis {axis} of shape {shape}; use another mode"
        raise problem(ShapeError, "pad", rule, str((before, after)))
    index = np.arange(-before, size + after)
    if mode == "replicate":
        return index.clip(0, size - 1)
    if mode == "circular":
        return index % size
    index = np.abs(index)
    return np.where(index < size, index, 2 * (size - 1) - index)
