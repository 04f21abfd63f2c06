"""Rectifiers: activations made of straight pieces."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call, written


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


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies the rectifier that stops at 6.

    relu6(x) = min(max(x, 0), 6); its derivative at 0 and 6 is 0, and NaN stays NaN.

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.relu6(ts.asarray([-1.0, 2.0, 9.0])).tolist()
        [0.0, 2.0, 6.0]

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.
    """
    return written(input, call("relu6", input), inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Keeps numbers between two bounds.

    hardtanh(x) = min(max(x, min_val), max_val); its derivative at the bounds is 0, and NaN stays NaN.

    Args:
        input: any shape; integers become float32.
        min_val: lower bound.
        max_val: upper bound, above `min_val`.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: bounds that are not in order.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.hardtanh(ts.asarray([-3.0, 0.5, 3.0])).tolist()
        [-1.0, 0.5, 1.0]
    """
    return written(input, call("hardtanh", input, min_val=min_val, max_val=max_val), inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Replaces numbers up to a threshold.

    y = x if x > threshold, else value; the derivative at the threshold is 0.

    Args:
        input: any shape; integers become float32.
        threshold: the largest number that is replaced.
        value: what replaces it.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.threshold(ts.asarray([0.0, 1.0, 2.0]), 1.0, -5.0).tolist()
        [-5.0, -5.0, 2.0]
    """
    return written(input, call("threshold", input, threshold=threshold, value=value), inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Applies the rectifier that lets a share of negative numbers through.

    leaky_relu(x) = x if x > 0, else negative_slope · x.

    Args:
        input: any shape; integers become float32.
        negative_slope: slope at and below 0.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.leaky_relu(ts.asarray([-2.0, 2.0]), 0.25).tolist()
        [-0.5, 2.0]

    Source: Maas, Hannun and Ng 2013.
    """
    return written(input, call("leaky_relu", input, negative_slope=negative_slope), inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Applies the leaky rectifier with learnt slopes.

    prelu(x) = x if x > 0, else w x.

    Args:
        input: any shape; integers become float32.
        weight: slopes w: shape (1,), or (channels,) with the channels on axis 1 of `input`.

    Returns:
        Shape of `input`, common dtype of both.

    Raises:
        ShapeError: a number of slopes that is neither 1 nor that of the channels.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.prelu(ts.asarray([-2.0, 2.0]), ts.asarray([0.25])).tolist()
        [-0.5, 2.0]

    Source: He et al. 2015, equation 1.
    """
    return call("prelu", input, weight)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Applies the leaky rectifier with random slopes.

    rrelu(x) = x if x > 0, else a x, a uniform in [lower, upper); outside training a is their mean.

    Args:
        input: any shape; integers become float32.
        lower: least slope.
        upper: greatest slope.
        training: whether to draw slopes, from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `lower` above `upper`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.rrelu(ts.asarray([-2.0, 2.0]), 0.125, 0.375).tolist()
        [-0.5, 2.0]

    Source: Xu, Wang, Chen and Li 2015.
    """
    return written(input, call("rrelu", input, lower=lower, upper=upper, training=training), inplace)
