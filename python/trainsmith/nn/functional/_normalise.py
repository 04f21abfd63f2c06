"""Normalisation over trailing axes, and over a batch."""

from collections.abc import Sequence

from trainsmith._core import Tensor, apply
from trainsmith.nn.functional._call import call, sizes


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalises each row over its trailing axes.

    y = (x - E[x]) / √(Var[x] + eps) · w + b, moments over the axes of `normalized_shape`, variance without correction.

    Args:
        input: shape (..., *normalized_shape), floating.
        normalized_shape: sizes of the trailing axes.
        weight: factor, shape `normalized_shape`.
        bias: summand, shape `normalized_shape`.
        eps: added to the variance, at least 0.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: shapes that do not end in `normalized_shape`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.layer_norm(ts.asarray([[1.0, 3.0]]), (2,), eps=0.0).tolist()
        [[-1.0, 1.0]]

    Source: Ba, Kiros and Hinton 2016, equation 4.
    """
    return call("layer_norm", input, weight, bias, normalized_shape=sizes(normalized_shape, 1), eps=eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalises each channel over a batch.

    y = (x - μ) / √(σ² + eps) · w + b. In training μ and σ² are moments of the batch, and the running statistics move
    to (1 - momentum) · old + momentum · new, the variance with n - 1 in its denominator. Otherwise they are μ and σ².

    Args:
        input: shape (n, channels, ...), floating.
        running_mean: shape (channels,); changed in place in training.
        running_var: shape (channels,); changed in place in training.
        weight: factor, shape (channels,).
        bias: summand, shape (channels,).
        training: whether to use moments of the batch.
        momentum: weight of the batch in the running statistics, in [0, 1].
        eps: added to the variance, at least 0.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: `input` has less than two axes, or a size other than that of its channels is given.
        ArgumentError: one value per channel in training, or no running statistics outside training.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.batch_norm(ts.asarray([[1.0], [3.0]]), None, None, training=True, eps=0.0).tolist()
        [[-1.0], [1.0]]

    Source: Ioffe and Szegedy 2015, algorithm 1.
    """
    tensors = (input, running_mean, running_var, weight, bias)
    result = apply("batch_norm", tensors, {"training": training, "momentum": momentum, "eps": eps})
    if isinstance(result, Tensor):
        return result
    if running_mean is None or running_var is None:
        return result[0]
    running_mean.copy_(result[1].detach())
    running_var.copy_(result[2].detach())
    return result[0]
