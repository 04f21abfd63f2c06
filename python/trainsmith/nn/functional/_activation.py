"""Activations, and functions that normalise along an axis."""

from collections.abc import Sequence
from typing import Literal

from trainsmith._core import DType, Tensor
from trainsmith.nn.functional._call import call, cast_to, written


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies the rectifier.

    relu(x) = max(x, 0); its derivative at 0 is 0, and NaN stays NaN.

    Args:
        input: any shape and number dtype.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.relu(ts.asarray([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return written(input, call("relu", input), inplace)


def gelu(input: Tensor, approximate: Literal["none", "tanh"] = "none") -> Tensor:
    """Applies the Gaussian error linear unit.

    gelu(x) = x Φ(x); with `tanh`, x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Args:
        input: any shape; integers become float32.
        approximate: `none` or `tanh`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: another `approximate`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.gelu(ts.asarray(1.0))), 4)
        0.8413

    Source: Hendrycks and Gimpel 2016, equation 2.
    """
    return call("gelu", input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies the sigmoid linear unit, also called swish.

    silu(x) = x σ(x).

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.silu(ts.asarray(1.0))), 4)
        0.7311

    Source: Elfwing, Uchibe and Doya 2018.
    """
    return written(input, call("silu", input), inplace)


def sigmoid(input: Tensor) -> Tensor:
    """Applies the logistic function.

    σ(x) = 1 / (1 + exp(-x)).

    Args:
        input: any shape; integers become float32.

    Returns:
        Shape and dtype of `input`, values in [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.sigmoid(ts.asarray(0.0)))
        0.5
    """
    return call("sigmoid", input)


def tanh(input: Tensor) -> Tensor:
    """Applies the hyperbolic tangent.

    Args:
        input: any shape; integers become float32.

    Returns:
        Shape and dtype of `input`, values in [-1, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.tanh(ts.asarray(0.0)))
        0.0
    """
    return call("tanh", input)


def softmax(input: Tensor, axis: int, dtype: DType | None = None) -> Tensor:
    """Turns scores into probabilities along an axis.

    softmax(x)_i = exp(x_i) / Σ_j exp(x_j), computed so that large scores do not overflow.

    Args:
        input: at least one axis; integers become float32.
        axis: the one that sums to 1. torch guesses it where it is left out; here it must be given.
        dtype: what to convert `input` to first.

    Returns:
        Shape of `input`, values in [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.softmax(ts.asarray([[0.0, 0.0], [1000.0, 0.0]]), axis=1).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    return call("softmax", cast_to(input, dtype), axis=axis)


def log_softmax(input: Tensor, axis: int, dtype: DType | None = None) -> Tensor:
    """Gives the logarithm of `softmax`, exact also where that is near 0.

    log_softmax(x)_i = x_i - log Σ_j exp(x_j).

    Args:
        input: at least one axis; integers become float32.
        axis: the one along which exp sums to 1.
        dtype: what to convert `input` to first.

    Returns:
        Shape of `input`, values of at most 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.log_softmax(ts.asarray([1000.0, 0.0]), axis=0).tolist()
        [0.0, -1000.0]
    """
    return call("log_softmax", cast_to(input, dtype), axis=axis)


def logsumexp(input: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """Gives the logarithm of a sum of exponentials, without overflow.

    logsumexp(x) = m + log Σ_j exp(x_j - m), m = max x.

    Args:
        input: integers become float32.
        axis: what to sum over; all axes where None.
        keepdims: whether summed axes stay, with size 1.

    Returns:
        Shape of `input` without, or with size 1 on, the summed axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.logsumexp(ts.asarray([1000.0, -1000.0])))
        1000.0
    """
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    return call("logsumexp", input, axis=axes, keepdims=keepdims)
