"""Where a value that is not finite came from."""

from typing import NamedTuple


class NonFinite(NamedTuple):
    """The first tensor that is not finite in a step, found by going back from the bad gradient or result.

    Args:
        kind: `nan` or `inf`.
        source: the op that made it of finite tensors, or the argument or parameter that came in so.
        is_op: whether `source` is an op.
        shape: of the tensor.
        dtype: of the tensor.
        origin: file and line of the call that recorded the op; None for what came in.

    Example:
        >>> print(NonFinite("nan", "log", True, (8, 1), "float32", "train.py:12"))
        nan from log, float32 (8, 1), at train.py:12
    """

    kind: str
    source: str
    is_op: bool
    shape: tuple[int, ...]
    dtype: str
    origin: str | None

    def __str__(self) -> str:
        """Reads as one phrase."""
        where = f", at {self.origin}" if self.origin else ""
        return f"{self.kind} {'from' if self.is_op else 'in'} {self.source}, {self.dtype} {self.shape}{where}"
