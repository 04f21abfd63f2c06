"""Layers that change shapes."""

import math
from collections.abc import Sequence
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


@final
class Unflatten(Module):
    """Splits an axis into several.

    Args:
        axis: the one that is split; torch's `dim`.
        unflattened_size: sizes of the new axes, one of which may be -1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Unflatten(1, (3, 4))(ts.ones((2, 12))).shape
        (2, 3, 4)
    """

    def __init__(self, axis: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.axis = axis
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        """Gives the elements in the same order with more axes."""
        rank = input.ndim
        axis = self.axis + rank if self.axis < 0 else self.axis
        known = math.prod(size for size in self.unflattened_size if size != -1)
        open_sizes = self.unflattened_size.count(-1)
        fits = 0 <= axis < rank and known > 0 and open_sizes < 2
        if not fits or input.shape[axis] % known or (not open_sizes and input.shape[axis] != known):
            rule = f"an axis in [-{rank}, {rank}) of the sizes' product, at most one of them -1"
            got = f"axis {self.axis} of shape {input.shape} to {self.unflattened_size}"
            raise problem(ShapeError, "Unflatten", rule, got)
        sizes = tuple(input.shape[axis] // known if size == -1 else size for size in self.unflattened_size)
        shape = (*input.shape[:axis], *sizes, *input.shape[axis + 1 :])
        return cast(Tensor, apply("reshape", (input,), {"shape": shape}))

    def extra_repr(self) -> str:
        """Names axis and sizes."""
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"
