"""What the functions of this package share: the call into the core, and the words of reductions."""

from collections.abc import Sequence
from typing import Any, Literal, cast

from trainsmith._core import DType, Tensor, apply

Reduction = Literal["none", "mean", "sum"]
DivergenceReduction = Literal["none", "batchmean", "mean", "sum"]


def call(name: str, *tensors: Any, **options: Any) -> Tensor:
    """Calls a function of the core that gives one tensor.

    Args:
        name: its name in the core.
        tensors: its tensors, in order; None where one is left out.
        options: its other arguments.

    Returns:
        The result.
    """
    return cast(Tensor, apply(name, tensors, options or None))


def cast_to(input: Tensor, dtype: DType | None) -> Tensor:
    """Gives a tensor in a dtype, unchanged where that is None."""
    return input if dtype is None else call("astype", input, dtype=dtype)


def written(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """Gives a result, or points `input` at it as `input += 1` would."""
    return input.assign_(result) if inplace else result


def sizes(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Gives one size per axis where one size stands for all."""
    return (value,) * axes if isinstance(value, int) else tuple(value)
