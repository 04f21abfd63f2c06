"""Values that parameters start from. Each function writes a tensor in place and gives it back.

Random ones draw from the default generator.
"""

import math
from typing import Any, Literal, TypeVar

from trainsmith._core import Tensor, apply, set_grad_enabled, to_device
from trainsmith._dtypes import float64
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn._init_matrices import dirac_ as dirac_
from trainsmith.nn._init_matrices import eye_ as eye_
from trainsmith.nn._init_matrices import orthogonal_ as orthogonal_
from trainsmith.nn._init_matrices import sparse_ as sparse_

T = TypeVar("T", bound=Tensor)
Fan = Literal["fan_in", "fan_out"]

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Gives the factor by which weights before a nonlinearity are enlarged.

    Args:
        nonlinearity: `linear`, `conv1d`, `conv2d`, `conv3d`, `sigmoid`, `tanh`, `relu`, `leaky_relu` or `selu`.
        param: slope of the leaky rectifier, 0.01 by default; the others take none.

    Returns:
        The gain: √(2 / (1 + slope²)) for the leaky rectifier.

    Raises:
        ArgumentError: another nonlinearity.

    Example:
        >>> from trainsmith import nn
        >>> nn.init.calculate_gain("leaky_relu", 0.0) ** 2
        2.0000000000000004

    Source: He et al. 2015, equation 15; the gain of tanh is torch's.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise problem(ArgumentError, "calculate_gain", f"a nonlinearity among {known}", repr(nonlinearity))
    return _GAINS[nonlinearity]


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0) -> T:
    """Draws each element uniformly from [a, b).

    Args:
        tensor: floating; its cell or value is replaced.
        a: lower bound.
        b: upper bound.

    Returns:
        The tensor.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> 2 <= float(nn.init.uniform_(ts.zeros(()), 2, 3)) < 3
        True
    """
    return _write(tensor, _affine(_draw("rand", tensor), b - a, a))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0) -> T:
    """Draws each element from a normal distribution.

    Args:
        tensor: floating; its cell or value is replaced.
        mean: mean.
        std: standard deviation, at least 0.

    Returns:
        The tensor.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.init.normal_(ts.zeros(()), mean=2, std=0))
        2.0
    """
    return _write(tensor, _affine(_draw("randn", tensor), std, mean))


def trunc_normal_(tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> T:
    """Draws each element from a normal distribution, limited to [a, b].

    x = mean + std √2 erf⁻¹(u), u uniform between erf((a - mean) / (std √2)) and erf((b - mean) / (std √2)).

    Args:
        tensor: floating; its cell or value is replaced.
        mean: mean before the limits.
        std: standard deviation before the limits, above 0.
        a: lower limit.
        b: upper limit, above a.

    Returns:
        The tensor.

    Raises:
        ArgumentError: `std` not above 0, or `a` not below `b`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> 0 <= float(nn.init.trunc_normal_(ts.zeros(()), a=0, b=1)) <= 1
        True
    """
    if not (std > 0 and a < b):
        raise problem(ArgumentError, "trunc_normal_", "std > 0 and a < b", f"std {std}, a {a}, b {b}")
    low, high = (math.erf((limit - mean) / (std * math.sqrt(2))) for limit in (a, b))
    drawn = _affine(_draw("rand", tensor, dtype=float64), high - low, low)
    values = _affine(_inverse_erf(drawn), std * math.sqrt(2), mean)
    return _write(tensor, apply("clip", (values, float(a), float(b))))


def constant_(tensor: T, val: float) -> T:
    """Puts every element to a number.

    Args:
        tensor: its cell or value is replaced.
        val: the number.

    Returns:
        The tensor.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.init.constant_(ts.zeros(2), 3).tolist()
        [3.0, 3.0]
    """
    return _write(tensor, apply("full", (val,), {"shape": tensor.shape, "dtype": tensor.dtype}))


def ones_(tensor: T) -> T:
    """Puts every element to 1 and gives the tensor back."""
    return constant_(tensor, 1)


def zeros_(tensor: T) -> T:
    """Puts every element to 0 and gives the tensor back."""
    return constant_(tensor, 0)


def xavier_uniform_(tensor: T, gain: float = 1.0) -> T:
    """Draws uniformly from ±gain √(6 / (fan_in + fan_out)).

    Args:
        tensor: a weight, shape (out, in, ...).
        gain: factor, see `calculate_gain`.

    Returns:
        The tensor.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> bool(ts.all(ts.abs(nn.init.xavier_uniform_(ts.zeros((3, 3)))) <= 1))
        True

    Source: Glorot and Bengio 2010, equation 16.
    """
    fan_in, fan_out = _fans("xavier_uniform_", tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: T, gain: float = 1.0) -> T:
    """Draws normally with deviation gain √(2 / (fan_in + fan_out)).

    Args:
        tensor: a weight, shape (out, in, ...).
        gain: factor, see `calculate_gain`.

    Returns:
        The tensor.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.init.xavier_normal_(ts.zeros((3, 2))).shape
        (3, 2)

    Source: Glorot and Bengio 2010, equation 12.
    """
    fan_in, fan_out = _fans("xavier_normal_", tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)))


def kaiming_uniform_(tensor: T, a: float = 0.0, mode: Fan = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Draws uniformly from ±gain √(3 / fan).

    Args:
        tensor: a weight, shape (out, in, ...).
        a: slope of the leaky rectifier.
        mode: `fan_in` keeps the scale of values forward, `fan_out` that of gradients backward.
        nonlinearity: what follows, see `calculate_gain`.

    Returns:
        The tensor.

    Raises:
        ShapeError: fewer than two axes.
        ArgumentError: another mode or nonlinearity.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> bool(ts.all(ts.abs(nn.init.kaiming_uniform_(ts.zeros((3, 6)))) <= 1))
        True

    Source: He et al. 2015, equation 10.
    """
    bound = math.sqrt(3.0) * _deviation("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: T, a: float = 0.0, mode: Fan = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Draws normally with deviation gain / √fan.

    Args:
        tensor: a weight, shape (out, in, ...).
        a: slope of the leaky rectifier.
        mode: `fan_in` keeps the scale of values forward, `fan_out` that of gradients backward.
        nonlinearity: what follows, see `calculate_gain`.

    Returns:
        The tensor.

    Raises:
        ShapeError: fewer than two axes.
        ArgumentError: another mode or nonlinearity.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.init.kaiming_normal_(ts.zeros((3, 6))).shape
        (3, 6)

    Source: He et al. 2015, equation 10.
    """
    return normal_(tensor, 0.0, _deviation("kaiming_normal_", tensor, a, mode, nonlinearity))


def _write(tensor: T, value: Tensor) -> T:
    tensor.copy_(to_device(value, tensor.device))
    return tensor


def _draw(name: str, tensor: Tensor, **options: Any) -> Tensor:
    return apply(name, (), {"shape": tensor.shape, "dtype": tensor.dtype, **options})


def _affine(x: Tensor, factor: float, summand: float) -> Tensor:
    return apply("add", (apply("multiply", (x, float(factor))), float(summand)))


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    """Counts the inputs of one output and the outputs of one input."""
    if tensor.ndim < 2:
        raise problem(ShapeError, op, "a weight of shape (out, in, ...)", str(tensor.shape))
    field = math.prod(tensor.shape[2:])
    return max(1, tensor.shape[1] * field), max(1, tensor.shape[0] * field)


def _deviation(op: str, tensor: Tensor, a: float, mode: Fan, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise problem(ArgumentError, op, "mode fan_in or fan_out", repr(mode))
    fan_in, fan_out = _fans(op, tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def _inverse_erf(y: Tensor) -> Tensor:
    """Gives the inverse of erf: a closed approximation, then two steps of Halley's method."""
    before = set_grad_enabled(False)
    try:
        y = apply("clip", (y, -1.0 + 2.0**-53, 1.0 - 2.0**-53))
        log = apply("log1p", (-(y * y),))
        half = log / 2 + 2 / (math.pi * 0.147)
        inner = apply("sqrt", (half * half - log / 0.147,)) - half
        x = apply("sign", (y,)) * apply("sqrt", (apply("maximum", (inner, 0.0)),))
        for _ in range(2):
            error = (apply("erf", (x,)) - y) * apply("exp", (x * x,)) * (math.sqrt(math.pi) / 2)
            x = x - error / (x * error + 1)
        return x
    finally:
        set_grad_enabled(before)
