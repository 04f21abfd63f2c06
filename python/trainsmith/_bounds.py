"""The larger, the smaller, and what lies between, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def clip(x: Operand, /, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Keeps values between two bounds.

    The derivative is 1 inside and at a bound, 0 outside; NaN stays.

    Args:
        x: any shape and number dtype.
        min: lower bound, a number or a tensor whose shape broadcasts with that of `x`; None for none.
        max: upper bound, likewise; it wins where the bounds cross.

    Returns:
        Shape of `x` and the bounds; dtype of `x` with number bounds.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.clip(ts.asarray([-1, 0, 5]), 0, 3).tolist()
        [0, 0, 3]
    """
    return apply("clip", (x, min, max))


def maximum(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the larger of two; NaN where one is NaN.

    max(x1, x2); at a tie each gets half of the gradient.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: dtypes without a common one, or bools.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.maximum(ts.asarray([1, 5]), 3).tolist()
        [3, 5]
    """
    return apply("maximum", (x1, x2))


def minimum(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the smaller of two; NaN where one is NaN.

    min(x1, x2); at a tie each gets half of the gradient.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: dtypes without a common one, or bools.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.minimum(ts.asarray([1, 5]), 3).tolist()
        [1, 3]
    """
    return apply("minimum", (x1, x2))
