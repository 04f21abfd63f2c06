"""Normalisation over groups of channels, over channels of one example, and by the root mean square."""

from collections.abc import Sequence

from trainsmith._core import Tensor, apply
from trainsmith.nn.functional._call import call, sizes


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divides each row by the root of its mean square over the trailing axes.

    y = x / √(E[x²] + eps) · w.

    Args:
        input: shape (..., *normalized_shape), floating.
        normalized_shape: sizes of the trailing axes.
        weight: factor, shape `normalized_shape`.
        eps: added to the mean square; the distance from 1 to the next number of the dtype where None.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: shapes that do not end in `normalized_shape`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.rms_norm(ts.asarray([[1.0, 7.0]]), (2,), eps=0.0).tolist()
        [[0.20000000298023224, 1.399999976158142]]

    Source: Zhang and Sennrich 2019, equation 4.
    """
    return call("rms_norm", input, weight, normalized_shape=sizes(normalized_shape, 1), eps=eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalises each group of channels of each example.

    y = (x - μ) / √(σ² + eps) · w + b, moments over the channels of a group and all later axes.

    Args:
        input: shape (n, channels, ...), floating.
        num_groups: number of groups, a divisor of the channels.
        weight: factor, shape (channels,).
        bias: summand, shape (channels,).
        eps: added to the variance, at least 0.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: fewer than two axes, or sizes that do not fit.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.group_norm(ts.asarray([[1.0, 3.0, 7.0, 5.0]]), 2, eps=0.0).tolist()
        [[-1.0, 1.0, 1.0, -1.0]]

    Source: Wu and He 2018, equations 2 and 7.
    """
    return call("group_norm", input, weight, bias, num_groups=num_groups, eps=eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalises each channel of each example.

    y = (x - μ) / √(σ² + eps) · w + b, moments over all axes after the channels; the running statistics move to
    (1 - momentum) · old + momentum · mean over the examples. Without `use_input_stats` they are μ and σ².

    Args:
        input: shape (n, channels, ...), floating.
        running_mean: shape (channels,); changed in place where the input's moments are used.
        running_var: shape (channels,); changed likewise, with one less in its denominator.
        weight: factor, shape (channels,).
        bias: summand, shape (channels,).
        use_input_stats: whether to use moments of the input.
        momentum: weight of the input in the running statistics, in [0, 1].
        eps: added to the variance, at least 0.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: sizes that do not fit.
        ArgumentError: one value per channel and example, or no statistics to use.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.instance_norm(ts.asarray([[[1.0, 3.0]]]), eps=0.0).tolist()
        [[[-1.0, 1.0]]]

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """
    tensors = (input, running_mean, running_var, weight, bias)
    result = apply("instance_norm", tensors, {"use_input_stats": use_input_stats, "momentum": momentum, "eps": eps})
    if isinstance(result, Tensor):
        return result
    if len(result) == 3 and running_mean is not None and running_var is not None:
        running_mean.copy_(result[1].detach())
        running_var.copy_(result[2].detach())
    return result[0]
