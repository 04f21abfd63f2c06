"""Activations that pull numbers towards 0."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call


def softsign(input: Tensor) -> Tensor:
    """Squeezes numbers into (-1, 1).

    softsign(x) = x / (1 + |x|).

    Args:
        input: any shape; integers become float32.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.softsign(ts.asarray([-1.0, 1.0])).tolist()
        [-0.5, 0.5]
    """
    return call("softsign", input)


def tanhshrink(input: Tensor) -> Tensor:
    """Takes the hyperbolic tangent away.

    tanhshrink(x) = x - tanh(x).

    Args:
        input: any shape; integers become float32.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.tanhshrink(ts.asarray([0.0, 1000.0])).tolist()
        [0.0, 999.0]
    """
    return call("tanhshrink", input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Moves numbers towards 0 and stops there.

    softshrink(x) = x - λ if x > λ, x + λ if x < -λ, else 0; its derivative at ±λ is 0.

    Args:
        input: any shape; integers become float32.
        lambd: λ, at least 0.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: a negative `lambd`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.softshrink(ts.asarray([-2.0, 0.25, 2.0])).tolist()
        [-1.5, 0.0, 1.5]
    """
    return call("softshrink", input, lambd=lambd)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Sets small numbers to 0.

    hardshrink(x) = x if |x| > λ, else 0; its derivative at ±λ is 0.

    Args:
        input: any shape; integers become float32.
        lambd: λ.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.hardshrink(ts.asarray([-2.0, 0.25, 2.0])).tolist()
        [-2.0, 0.0, 2.0]
    """
    return call("hardshrink", input, lambd=lambd)
