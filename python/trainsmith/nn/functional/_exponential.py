"""Activations with an exponential piece."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call, written


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Applies the exponential linear unit.

    elu(x) = x if x > 0, else α (exp(x) - 1).

    Args:
        input: any shape; integers become float32.
        alpha: α, the distance of the limit below 0.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.elu(ts.asarray([-1000.0, 2.0])).tolist()
        [-1.0, 2.0]

    Source: Clevert, Unterthiner and Hochreiter 2016, equation 15.
    """
    return written(input, call("elu", input, alpha=alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies the scaled exponential linear unit, which keeps mean 0 and variance 1 through layers.

    selu(x) = λ x if x > 0, else λ α (exp(x) - 1), λ = 1.0507..., α = 1.6733....

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.selu(ts.asarray(1.0))), 4)
        1.0507

    Source: Klambauer et al. 2017, equation 2.
    """
    return written(input, call("selu", input), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Applies the exponential linear unit whose slope is 1 at 0 for every α.

    celu(x) = x if x > 0, else α (exp(x / α) - 1).

    Args:
        input: any shape; integers become float32.
        alpha: α, the distance of the limit below 0; not 0.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: an `alpha` of 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.celu(ts.asarray([-1000.0, 2.0]), 0.5).tolist()
        [-0.5, 2.0]

    Source: Barron 2017.
    """
    return written(input, call("celu", input, alpha=alpha), inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Applies the smooth rectifier.

    softplus(x) = log(1 + exp(β x)) / β, and x itself where β x is above the threshold.

    Args:
        input: any shape; integers become float32.
        beta: β, how sharp the bend is; not 0.
        threshold: of β x, above which the function is a line.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: a `beta` of 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.softplus(ts.asarray([-1000.0, 1000.0])).tolist()
        [0.0, 1000.0]

    Source: Dugas et al. 2001.
    """
    return call("softplus", input, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """Gives the logarithm of the logistic function, exact also where that is near 0.

    logsigmoid(x) = -log(1 + exp(-x)).

    Args:
        input: any shape; integers become float32.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.logsigmoid(ts.asarray([-1000.0])).tolist()
        [-1000.0]
    """
    return call("logsigmoid", input)


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
