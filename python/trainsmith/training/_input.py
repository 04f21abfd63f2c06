"""An input of a graph: its name, and what a tensor must be to go in."""

from collections.abc import Sequence
from typing import Any

from trainsmith._core import DType, Tensor
from trainsmith._core import dtype as dtype_of
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError, DTypeError, ShapeError


class Input:
    """An input of a `Graph`. It equals its name, so that either is a key of `Batch.inputs`.

    Args:
        name: not empty.
        dtype: what a tensor must have; None takes any.
        shape: sizes that a tensor must have, None for a free one; None as a whole takes any shape.

    Raises:
        ArgumentError: an empty name, or a size that is below 0 or no whole number.

    Example:
        >>> import trainsmith as ts
        >>> x = Input("x", ts.float32, shape=(None, 30))
        >>> x
        Input('x', float32, shape=(None, 30))
        >>> x == "x", {x: 1}["x"]
        (True, 1)
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(
        self, name: str, dtype: DType | str | None = None, shape: tuple[int | None, ...] | None = None
    ) -> None:
        sizes: Sequence[Any] = shape or ()
        whole = all(size is None or (type(size) is int and size >= 0) for size in sizes)
        if not isinstance(name, str) or not name or not whole:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise worded(
                ArgumentError,
                "input",
                "an input needs a name and sizes",
                expected="a text that is not empty, and whole numbers of at least 0 or None",
                got=f"{shown(name)} and {shown(shape)}",
                step='write Input("x", shape=(None, 30))',
            )
        self.name = name
        self.dtype: DType | None = dtype_of(dtype) if isinstance(dtype, str) else dtype
        self.shape = shape if shape is None else tuple(shape)

    def __eq__(self, other: object) -> bool:
        return self.name == (other.name if isinstance(other, Input) else other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        parts = [repr(self.name), *([] if self.dtype is None else [self.dtype.name])]
        return f"Input({', '.join([*parts, *([] if self.shape is None else [f'shape={self.shape}'])])})"

    def check(self, value: Tensor) -> None:
        """Refuses a tensor that does not go in.

        Args:
            value: the tensor.

        Raises:
            DTypeError: another dtype.
            ShapeError: another number of axes, or another size on an axis that is not free.
        """
        if self.dtype is not None and value.dtype != self.dtype:
            raise worded(
                DTypeError,
                "graph",
                f"input {shown(self.name)} must have its dtype",
                expected=self.dtype.name,
                got=value.dtype.name,
                step="convert it with astype, or declare the input with that dtype",
            )
        shape = self.shape
        if shape is None:
            return
        found = tuple(value.shape)
        fits = len(found) == len(shape) and all(
            want is None or have == want for have, want in zip(found, shape, strict=True)
        )
        if not fits:
            raise worded(
                ShapeError,
                "graph",
                f"input {shown(self.name)} must have its shape",
                expected=f"{shape}, None being free",
                got=str(found),
                step="reshape it, or declare the input with that shape",
            )
