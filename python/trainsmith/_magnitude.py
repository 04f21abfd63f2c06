"""Signs, sizes and parts, elementwise."""

from math import inf

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._creation import zeros_like
from trainsmith._operands import floating_pair
from trainsmith._typing import Operand


def abs(x: Operand, /) -> Tensor:
    """Gives the absolute value.

    |x|; its derivative at 0 is 0.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.abs(ts.asarray([-1, 2])).tolist()
        [1, 2]
    """
    return apply("abs", (x,))


def conj(x: Operand, /) -> Tensor:
    """Gives the complex conjugate: the same elements, as all dtypes are real.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.conj(ts.asarray([1, -2])).tolist()
        [1, -2]
    """
    return positive(x)


def copysign(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the size of the first with the sign of the second.

    Args:
        x1: a tensor or number; integers become float32.
        x2: another, whose shape broadcasts with that of `x1`; -0.0 is negative, and a NaN has a sign too.

    Returns:
        The common shape and dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> ts.copysign(ts.asarray([1.0, -2.0]), -0.0).tolist()
        [-1.0, -2.0]
    """
    return apply("copysign", (x1, x2))


def hypot(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the length of the hypotenuse, without overflow.

    √(x1² + x2²) = m √((x1 / m)² + (x2 / m)²), m the larger of |x1| and |x2|.

    Args:
        x1: a tensor or number; integers become float32.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.hypot(ts.asarray(3.0), 4.0))
        5.0
    """
    a, b = floating_pair("hypot", x1, x2)
    infinite = apply("logical_or", (apply("isinf", (a,)), apply("isinf", (b,))))
    largest = apply("maximum", (abs(a), abs(b))).detach()
    usable = apply("logical_and", (apply("isfinite", (largest,)), apply("greater", (largest, 0))))
    scale = apply("where", (usable, largest, 1.0))
    return apply("where", (infinite, inf, scale * ((a / scale) ** 2 + (b / scale) ** 2) ** 0.5))


def imag(x: Operand, /) -> Tensor:
    """Gives the imaginary part: zeros, as all dtypes are real.

    Args:
        x: any shape and dtype.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.imag(ts.asarray([1.0, -2.0])).tolist()
        [0.0, 0.0]
    """
    return zeros_like(asarray(x))


def negative(x: Operand, /) -> Tensor:
    """Changes the sign.

    -x; unsigned integers wrap.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.negative(ts.asarray([1, -2])).tolist()
        [-1, 2]
    """
    return apply("negative", (x,))


def nextafter(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the number next to the first on the way to the second.

    Args:
        x1: a tensor or number, float32 or float64; integers become float32.
        x2: another, whose shape broadcasts with that of `x1`; where both are equal it is the result.

    Returns:
        The common shape and dtype. It has no derivative.

    Raises:
        DTypeError: float16 or bfloat16.
        GraphError: a tensor that requires a gradient.
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.nextafter(ts.asarray(1.0, dtype=ts.float64), 2.0))
        1.0000000000000002
    """
    return apply("nextafter", (x1, x2))


def positive(x: Operand, /) -> Tensor:
    """Gives the same elements.

    Args:
        x: any shape and dtype.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.positive(ts.asarray([1, -2])).tolist()
        [1, -2]
    """
    return apply("positive", (x,))


def real(x: Operand, /) -> Tensor:
    """Gives the real part: the same elements, as all dtypes are real.

    Args:
        x: any shape and dtype.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.real(ts.asarray([1.0, -2.0])).tolist()
        [1.0, -2.0]
    """
    return positive(x)


def sign(x: Operand, /) -> Tensor:
    """Gives the sign.

    -1, 0 or 1; NaN stays.

    Args:
        x: any shape and number dtype.

    Returns:
        Shape and dtype of `x`.

    Raises:
        DTypeError: bools.

    Example:
        >>> import trainsmith as ts
        >>> ts.sign(ts.asarray([-3, 0, 2])).tolist()
        [-1, 0, 1]
    """
    return apply("sign", (x,))


def signbit(x: Operand, /) -> Tensor:
    """Says where the sign is negative, also that of -0.0.

    A NaN has a sign too.

    Args:
        x: any shape and dtype.

    Returns:
        Bools of the shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.signbit(ts.asarray([-0.0, 0.0, -1.0])).tolist()
        [True, False, True]
    """
    tensor = asarray(x)
    if not tensor.dtype.is_floating:
        return apply("less", (tensor, 0))
    return apply("less", (apply("copysign", (1.0, tensor)), 0))
