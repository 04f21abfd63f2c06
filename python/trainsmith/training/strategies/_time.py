"""Sequences in pieces of time, for recurrent graphs."""

from typing import Any

from trainsmith._core import Tensor
from trainsmith._tree import map_leaves
from trainsmith.data._wording import worded
from trainsmith.errors import ShapeError


def steps_of(inputs: list[Tensor], axis: int, op: str) -> int:
    """Says how many time steps inputs have.

    Args:
        inputs: of one length along the axis.
        axis: of time.
        op: the operation that asks.

    Returns:
        The length, at least 1.

    Raises:
        ShapeError: no such axis, lengths that differ, or no step.
    """
    lengths = {one.shape[axis] if one.ndim > axis else 0 for one in inputs}
    if len(lengths) != 1 or 0 in lengths:
        raise worded(
            ShapeError,
            op,
            "inputs must have one length in time",
            expected=f"the same length of at least 1 along axis {axis}",
            got=", ".join(str(tuple(one.shape)) for one in inputs),
            step="pass time_axis, or bring the inputs to one length",
        )
    return lengths.pop()


def during(value: Tensor, axis: int, first: int, last: int) -> Tensor:
    """Takes the time steps from `first` up to `last`."""
    return value[(*(slice(None),) * axis, slice(first, last))]


def cut_off(state: Any) -> Any:
    """Detaches every tensor of a state."""
    return map_leaves(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, state)
