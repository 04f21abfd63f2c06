"""Functions of bits, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def bitwise_and(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the bits that both have.

    Args:
        x1: integers or bools.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: floats, or dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_and(ts.asarray([6]), 3).tolist()
        [2]
    """
    return apply("bitwise_and", (x1, x2))


def bitwise_invert(x: Operand, /) -> Tensor:
    """Flips all bits; of bools, the truth.

    Args:
        x: integers or bools.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: floats.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_invert(ts.asarray([0, 1])).tolist()
        [-1, -2]
    """
    return apply("bitwise_invert", (x,))


def bitwise_left_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """Moves bits to the left.

    Args:
        x1: integers.
        x2: by how many bits, at least 0.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: floats or bools, or dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_left_shift(ts.asarray([1]), 3).tolist()
        [8]
    """
    return apply("bitwise_left_shift", (x1, x2))


def bitwise_or(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the bits that at least one has.

    Args:
        x1: integers or bools.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: floats, or dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_or(ts.asarray([6]), 3).tolist()
        [7]
    """
    return apply("bitwise_or", (x1, x2))


def bitwise_right_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """Moves bits to the right; the sign stays.

    Args:
        x1: integers.
        x2: by how many bits, at least 0.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: floats or bools, or dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_right_shift(ts.asarray([-8]), 1).tolist()
        [-4]
    """
    return apply("bitwise_right_shift", (x1, x2))


def bitwise_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the bits that exactly one has.

    Args:
        x1: integers or bools.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        DTypeError: floats, or dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.bitwise_xor(ts.asarray([6]), 3).tolist()
        [5]
    """
    return apply("bitwise_xor", (x1, x2))
