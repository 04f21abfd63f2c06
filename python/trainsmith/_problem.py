"""One way to word an error, the same as the core's."""

from typing import TypeVar

from trainsmith.errors import TrainsmithError

E = TypeVar("E", bound=TrainsmithError)


def problem(kind: type[E], op: str, expected: str, got: str) -> E:
    """Builds an error whose message reads `op: expected ..., got ...`.

    Args:
        kind: the error class.
        op: the operation that failed.
        expected: the rule, and after a semicolon the next step.
        got: what came.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> from trainsmith.errors import ShapeError
        >>> print(problem(ShapeError, "len", "a tensor with axes; index it first", "shape ()"))
        len: expected a tensor with axes; index it first, got shape ()
    """
    return kind(f"{op}: expected {expected}, got {got}", op=op, expected=expected, got=got)
