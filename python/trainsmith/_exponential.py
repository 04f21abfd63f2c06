"""Exponentials and logarithms, elementwise."""

from trainsmith._core import Tensor, apply
from trainsmith._operands import floating_pair
from trainsmith._typing import Operand


def exp(x: Operand, /) -> Tensor:
    """Gives the exponential.

    e^x

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.exp(ts.asarray(1.0))), 4)
        2.7183
    """
    return apply("exp", (x,))


def expm1(x: Operand, /) -> Tensor:
    """Gives the exponential minus 1, exact for small x.

    e^x - 1

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.expm1(ts.asarray(0.0)))
        0.0
    """
    return apply("expm1", (x,))


def log(x: Operand, /) -> Tensor:
    """Gives the natural logarithm.

    ln x: -inf at 0, NaN below.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.log(ts.asarray(2.0))), 4)
        0.6931
    """
    return apply("log", (x,))


def log10(x: Operand, /) -> Tensor:
    """Gives the logarithm to base 10.

    log₁₀ x: -inf at 0, NaN below.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.log10(ts.asarray(1000.0))), 4)
        3.0
    """
    return apply("log10", (x,))


def log1p(x: Operand, /) -> Tensor:
    """Gives the logarithm of 1 + x, exact for small x.

    ln(1 + x)

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.log1p(ts.asarray(0.0)))
        0.0
    """
    return apply("log1p", (x,))


def log2(x: Operand, /) -> Tensor:
    """Gives the logarithm to base 2.

    log₂ x: -inf at 0, NaN below.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.log2(ts.asarray(8.0))), 4)
        3.0
    """
    return apply("log2", (x,))


def logaddexp(x1: Operand, x2: Operand, /) -> Tensor:
    """Gives the logarithm of a sum of exponentials, without overflow.

    ln(e^x1 + e^x2) = m + ln(1 + e^-|x1 - x2|), m the larger one.

    Args:
        x1: a tensor or number; integers become float32.
        x2: another, whose shape broadcasts with that of `x1`.

    Returns:
        The common shape and dtype.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.logaddexp(ts.asarray(1000.0), 1000.0)), 2)
        1000.69
    """
    a, b = floating_pair("logaddexp", x1, x2)
    both = apply(
        "concat", (apply("expand_dims", (a,), {"axis": 0}), apply("expand_dims", (b,), {"axis": 0})), {"axis": 0}
    )
    return apply("logsumexp", (both,), {"axis": 0})


def sqrt(x: Operand, /) -> Tensor:
    """Gives the square root.

    √x: NaN below 0.

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.sqrt(ts.asarray(9.0))), 4)
        3.0
    """
    return apply("sqrt", (x,))


def erf(x: Operand, /) -> Tensor:
    """Gives the error function.

    erf(x) = 2/√π ∫₀ˣ e^(-t²) dt

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.erf(ts.asarray(0.5))), 4)
        0.5205
    """
    return apply("erf", (x,))


def sigmoid(x: Operand, /) -> Tensor:
    """Gives the logistic function.

    σ(x) = 1 / (1 + e^-x)

    Args:
        x: any shape; integers and bools become float32.

    Returns:
        Shape of `x`; its dtype where that is floating.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.sigmoid(ts.asarray(0.0)))
        0.5
    """
    return apply("sigmoid", (x,))
