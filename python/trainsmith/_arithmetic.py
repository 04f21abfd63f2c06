"""Arithmetic, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def add(x1: Operand, x2: Operand, /) -> Tensor:
    """Adds.

    x1 + x2

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
        >>> ts.add(ts.asarray([1, 2]), 1).tolist()
        [2, 3]
    """
    return apply("add", (x1, x2))


def divide(x1: Operand, x2: Operand, /) -> Tensor:
    """Divides.

    x1 / x2; integers give float32.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.divide(ts.asarray([1, 2]), 4).tolist()
        [0.25, 0.5]
    """
    return apply("divide", (x1, x2))


def floor_divide(x1: Operand, x2: Operand, /) -> Tensor:
    """Divides and rounds towards minus infinity.

    ⌊x1 / x2⌋

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
        >>> ts.floor_divide(ts.asarray([7, -7]), 2).tolist()
        [3, -4]
    """
    return apply("floor_divide", (x1, x2))


def multiply(x1: Operand, x2: Operand, /) -> Tensor:
    """Multiplies.

    x1 x2

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
        >>> ts.multiply(ts.asarray([1, 2]), 3).tolist()
        [3, 6]
    """
    return apply("multiply", (x1, x2))


def pow(x1: Operand, x2: Operand, /) -> Tensor:
    """Raises to a power.

    x1^x2; NaN for a negative float base with a broken exponent.

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
        >>> ts.pow(ts.asarray([1, 2, 3]), 2).tolist()
        [1, 4, 9]
    """
    return apply("pow", (x1, x2))


def reciprocal(x: Operand, /) -> Tensor:
    """Gives the reciprocal.

    1 / x

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> ts.reciprocal(ts.asarray(4.0)).tolist()
        0.25
    """
    return apply("reciprocal", (x,))


def remainder(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives what division leaves over, with the sign of the divisor.

    x1 - x2 ⌊x1 / x2⌋

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
        >>> ts.remainder(ts.asarray([7, -7]), 4).tolist()
        [3, 1]
    """
    return apply("remainder", (x1, x2))


def square(x: Operand, /) -> Tensor:
    """Gives the square.

    x²

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.square(ts.asarray([1, -2])).tolist()
        [1, 4]
    """
    return apply("square", (x,))


def subtract(x1: Operand, x2: Operand, /) -> Tensor:
    """Subtracts.

    x1 - x2

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
        >>> ts.subtract(ts.asarray([1, 2]), 1).tolist()
        [0, 1]
    """
    return apply("subtract", (x1, x2))
