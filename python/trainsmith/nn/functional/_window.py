"""What pools share: options per axis."""

from collections.abc import Sequence

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._call import sizes

Sizes = int | Sequence[int]


def pool_window(op: str, axes: int, input: Tensor, **given: Sizes) -> dict[str, tuple[int, ...]]:
    """Gives options per axis, after checking the number of axes."""
    checked(op, axes, input)
    found = {name: sizes(value, axes) for name, value in given.items()}
    for name, value in found.items():
        if len(value) != axes or any(size < 0 for size in value):
            raise problem(ArgumentError, op, f"{name}: one size of at least 0, or {axes} of them", str(value))
    return found


def checked(op: str, axes: int, input: Tensor) -> None:
    if input.ndim not in (axes + 1, axes + 2):
        rule = f"an input with {axes + 1} or {axes + 2} axes, (channels, ...) or (n, channels, ...)"
        raise problem(ShapeError, op, rule, f"shape {input.shape}")
