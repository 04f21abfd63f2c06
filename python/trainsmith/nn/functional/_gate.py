"""Activations that multiply the input by a gate."""

from typing import Literal

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import call, written


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


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies the mish unit.

    mish(x) = x tanh(log(1 + exp(x))).

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.functional.mish(ts.asarray(1.0))), 4)
        0.8651

    Source: Misra 2019.
    """
    return written(input, call("mish", input), inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies three straight pieces in place of the logistic function.

    hardsigmoid(x) = min(max(x + 3, 0), 6) / 6; its derivative at -3 and 3 is 0.

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.hardsigmoid(ts.asarray([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]

    Source: Howard et al. 2019, section 5.2.
    """
    return written(input, call("hardsigmoid", input), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Applies straight pieces and a parabola in place of `silu`.

    hardswish(x) = 0 if x ≤ -3, x if x ≥ 3, else x (x + 3) / 6; its derivative is 0 at -3 and 1 at 3.

    Args:
        input: any shape; integers become float32.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.hardswish(ts.asarray([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.0, 4.0]

    Source: Howard et al. 2019, section 5.2.
    """
    return written(input, call("hardswish", input), inplace)


def glu(input: Tensor, axis: int = -1) -> Tensor:
    """Lets one half of a tensor gate the other.

    glu(a, b) = a σ(b), where a and b are the halves of `input` along an axis.

    Args:
        input: an even size on `axis`; integers become float32.
        axis: the one that is halved.

    Returns:
        Shape of `input` with half the size on `axis`.

    Raises:
        ShapeError: an odd size.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.glu(ts.asarray([4.0, 0.0])).tolist()
        [2.0]

    Source: Dauphin et al. 2017, section 2.
    """
    return call("glu", input, axis=axis)
