"""Circular and hyperbolic functions, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._typing import Operand


def acos(x: Operand, /) -> Tensor:
    """Gives the inverse cosine.

    in [0, π]; NaN outside [-1, 1].

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.acos(ts.asarray(1.0))), 4)
        0.0
    """
    return apply("acos", (x,))


def acosh(x: Operand, /) -> Tensor:
    """Gives the inverse hyperbolic cosine.

    ln(x + √(x² - 1)); NaN below 1.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.acosh(ts.asarray(1.0))), 4)
        0.0
    """
    return apply("acosh", (x,))


def asin(x: Operand, /) -> Tensor:
    """Gives the inverse sine.

    in [-π/2, π/2]; NaN outside [-1, 1].

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.asin(ts.asarray(1.0))), 4)
        1.5708
    """
    return apply("asin", (x,))


def asinh(x: Operand, /) -> Tensor:
    """Gives the inverse hyperbolic sine.

    ln(x + √(x² + 1))

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.asinh(ts.asarray(1.0))), 4)
        0.8814
    """
    return apply("asinh", (x,))


def atan(x: Operand, /) -> Tensor:
    """Gives the inverse tangent.

    in [-π/2, π/2].

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.atan(ts.asarray(1.0))), 4)
        0.7854
    """
    return apply("atan", (x,))


def atan2(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the angle of the point (x2, x1), in (-π, π].

    atan(x1 / x2) in the quadrant of the two signs.

    Args:
        x1: ordinate; integers become float32.
        x2: abscissa, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.atan2(ts.asarray(1.0), -1.0)), 4)
        2.3562
    """
    return apply("atan2", (x1, x2))


def atanh(x: Operand, /) -> Tensor:
    """Gives the inverse hyperbolic tangent.

    ½ ln((1 + x) / (1 - x)); NaN outside [-1, 1].

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.atanh(ts.asarray(0.5))), 4)
        0.5493
    """
    return apply("atanh", (x,))


def cos(x: Operand, /) -> Tensor:
    """Gives the cosine.

    cos x, x in radians.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.cos(ts.asarray(0.0))), 4)
        1.0
    """
    return apply("cos", (x,))


def cosh(x: Operand, /) -> Tensor:
    """Gives the hyperbolic cosine.

    (e^x + e^-x) / 2

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.cosh(ts.asarray(1.0))), 4)
        1.5431
    """
    return apply("cosh", (x,))


def sin(x: Operand, /) -> Tensor:
    """Gives the sine.

    sin x, x in radians.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.sin(ts.asarray(1.0))), 4)
        0.8415
    """
    return apply("sin", (x,))


def sinh(x: Operand, /) -> Tensor:
    """Gives the hyperbolic sine.

    (e^x - e^-x) / 2

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.sinh(ts.asarray(1.0))), 4)
        1.1752
    """
    return apply("sinh", (x,))


def tan(x: Operand, /) -> Tensor:
    """Gives the tangent.

    tan x, x in radians.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.tan(ts.asarray(1.0))), 4)
        1.5574
    """
    return apply("tan", (x,))


def tanh(x: Operand, /) -> Tensor:
    """Gives the hyperbolic tangent.

    (e^x - e^-x) / (e^x + e^-x)

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.tanh(ts.asarray(1.0))), 4)
        0.7616
    """
    return apply("tanh", (x,))
