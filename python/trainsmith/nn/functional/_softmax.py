"""Functions that turn scores into probabilities along an axis."""

from collections.abc import Sequence

from trainsmith._core import DType, Tensor
from trainsmith.nn.functional._call import call, cast_to


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


def softmin(input: Tensor, axis: int, dtype: DType | None = None) -> Tensor:
    """Turns costs into probabilities along an axis.

    softmin(x)_i = exp(-x_i) / Σ_j exp(-x_j).

    Args:
        input: at least one axis; integers become float32.
        axis: the one that sums to 1.
        dtype: what to convert `input` to first.

    Returns:
        Shape of `input`, values in [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.softmin(ts.asarray([0.0, 1000.0]), axis=0).tolist()
        [1.0, 0.0]
    """
    return call("softmin", cast_to(input, dtype), axis=axis)


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
