"""Layers that change shapes."""

from typing import cast, final

from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ShapeError
from trainsmith.nn._module import Module


@final
class Flatten(Module):
    """Joins neighbouring axes to one.

    Args:
        start_axis: first axis that is joined; torch's `start_dim`.
        end_axis: last axis that is joined; torch's `end_dim`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Flatten()(ts.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.start_axis = start_axis
        self.end_axis = end_axis

    def forward(self, input: Tensor) -> Tensor:
        """Gives the elements in the same order with fewer axes."""
        rank = input.ndim
        start, end = (axis + rank if axis < 0 else axis for axis in (self.start_axis, self.end_axis))
        if not 0 <= start <= end < rank:
            rule = f"axes in order within [-{rank}, {rank})"
            got = f"start_axis {self.start_axis}, end_axis {self.end_axis} for shape {input.shape}"
            raise problem(ShapeError, "Flatten", rule, got)
        joined = 1
        for size in input.shape[start : end + 1]:
            joined *= size
        shape = (*input.shape[:start], joined, *input.shape[end + 1 :])
        return cast(Tensor, apply("reshape", (input,), {"shape": shape}))

    def extra_repr(self) -> str:
        """Names the axes."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"
