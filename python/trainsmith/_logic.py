"""Comparisons, logic and choices, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def equal(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where two are equal; NaN equals nothing.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.equal(ts.asarray([1, 2]), 2).tolist()
        [False, True]
    """
    return apply("equal", (x1, x2))


def greater(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where the first is greater.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.greater(ts.asarray([1, 3]), 2).tolist()
        [False, True]
    """
    return apply("greater", (x1, x2))


def greater_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where the first is greater or equal.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.greater_equal(ts.asarray([1, 2]), 2).tolist()
        [False, True]
    """
    return apply("greater_equal", (x1, x2))


def isfinite(x: Operand, /) -> Tensor:
    """Says where elements are neither infinite nor NaN.

    Args:
        x: any shape and dtype.

    Returns:
        Bools of the shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.isfinite(ts.asarray([1.0, ts.inf, ts.nan])).tolist()
        [True, False, False]
    """
    return apply("isfinite", (x,))


def isinf(x: Operand, /) -> Tensor:
    """Says where elements are infinite.

    Args:
        x: any shape and dtype.

    Returns:
        Bools of the shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.isinf(ts.asarray([1.0, -ts.inf, ts.nan])).tolist()
        [False, True, False]
    """
    return apply("isinf", (x,))


def isnan(x: Operand, /) -> Tensor:
    """Says where elements are not a number.

    Args:
        x: any shape and dtype.

    Returns:
        Bools of the shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.isnan(ts.asarray([1.0, ts.inf, ts.nan])).tolist()
        [False, False, True]
    """
    return apply("isnan", (x,))


def less(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where the first is less.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.less(ts.asarray([1, 3]), 2).tolist()
        [True, False]
    """
    return apply("less", (x1, x2))


def less_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where the first is less or equal.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.less_equal(ts.asarray([2, 3]), 2).tolist()
        [True, False]
    """
    return apply("less_equal", (x1, x2))


def logical_and(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where both are true.

    Args:
        x1: a tensor or number; true where it is not 0.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.logical_and(ts.asarray([True, True]), ts.asarray([0, 1])).tolist()
        [False, True]
    """
    return apply("logical_and", (x1, x2))


def logical_not(x: Operand, /) -> Tensor:
    """Says where elements are false.

    Args:
        x: any shape and dtype; true where it is not 0.

    Returns:
        Bools of the shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.logical_not(ts.asarray([True, False])).tolist()
        [False, True]
    """
    return apply("logical_not", (x,))


def logical_or(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where at least one is true.

    Args:
        x1: a tensor or number; true where it is not 0.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.logical_or(ts.asarray([False, True]), ts.asarray([0, 1])).tolist()
        [False, True]
    """
    return apply("logical_or", (x1, x2))


def logical_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where exactly one is true.

    Args:
        x1: a tensor or number; true where it is not 0.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.logical_xor(ts.asarray([True, True]), ts.asarray([0, 1])).tolist()
        [True, False]
    """
    return apply("logical_xor", (x1, x2))


def not_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """Says where two differ; NaN differs from everything.

    Args:
        x1: a tensor or number.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        Bools of the common shape.

    Raises:
        DTypeError: dtypes without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.not_equal(ts.asarray([1, 2]), 2).tolist()
        [True, False]
    """
    return apply("not_equal", (x1, x2))


def where(condition: Operand, x1: Operand, x2: Operand, /) -> Tensor:
    """Chooses between two.

    x1 where the condition holds, x2 elsewhere.

    Args:
        condition: bools.
        x1: a tensor or number.
        x2: another; the three shapes broadcast.

    Returns:
        The common shape, and the common dtype of `x1` and `x2`.

    Raises:
        DTypeError: a condition of another dtype, or branches without a common one.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.where(ts.asarray([True, False]), ts.asarray([1, 2]), 0).tolist()
        [1, 0]
    """
    return apply("where", (condition, x1, x2))
