"""Rounding, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def ceil(x: Operand, /) -> Tensor:
    """Rounds towards plus infinity.

    ⌈x⌉; its derivative is 0.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.ceil(ts.asarray([1.2, -1.2])).tolist()
        [2.0, -1.0]
    """
    return apply("ceil", (x,))


def floor(x: Operand, /) -> Tensor:
    """Rounds towards minus infinity.

    ⌊x⌋; its derivative is 0.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.floor(ts.asarray([1.2, -1.2])).tolist()
        [1.0, -2.0]
    """
    return apply("floor", (x,))


def round(x: Operand, /) -> Tensor:
    """Rounds to the nearest integer, halves to the even one.

    Its derivative is 0.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.round(ts.asarray([0.5, 1.5, 2.6])).tolist()
        [0.0, 2.0, 3.0]
    """
    return apply("round", (x,))


def trunc(x: Operand, /) -> Tensor:
    """Rounds towards zero.

    Its derivative is 0.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.trunc(ts.asarray([1.2, -1.2])).tolist()
        [1.0, -1.0]
    """
    return apply("trunc", (x,))
