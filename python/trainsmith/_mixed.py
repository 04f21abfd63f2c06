"""Mixed precision: products in a narrow dtype, everything delicate in float32."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from trainsmith import _core
from trainsmith._core import DType
from trainsmith._dtypes import as_dtype, bfloat16, float16
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import DTypeError

P = ParamSpec("P")
R = TypeVar("R")


class _Autocast:
    """Switches mixed precision on in this thread; a context manager and a decorator."""

    def __init__(self, dtype: DType | None) -> None:
        self._dtype = dtype
        self._before: list[DType | None] = []

    def __enter__(self) -> None:
        self._before.append(_core.set_autocast(self._dtype))

    def __exit__(self, *_: object) -> None:
        _core.set_autocast(self._before.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        dtype = self._dtype

        @functools.wraps(function)
        def switched(*args: P.args, **kwargs: P.kwargs) -> R:
            with _Autocast(dtype):
                return function(*args, **kwargs)

        return switched


def autocast(dtype: DTypeLike = bfloat16, enabled: bool = True) -> _Autocast:
    """Computes products in a narrow dtype, with parameters that stay float32.

    Inside, matrix products, convolutions, attention and recurrent layers round their floating operands to `dtype` and
    give results of it. Sums, means, variances, softmax, norms and losses take float32 instead. Everything else follows
    the dtypes of its operands, and so does all that has a float64 operand. Gradients of parameters are float32.

    Args:
        dtype: `bfloat16` or `float16`.
        enabled: False switches mixed precision off, inside another `autocast` too.

    Returns:
        A context manager that is also a decorator. It holds for this thread, and for what `compile` records inside.

    Raises:
        DTypeError: another dtype.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.Linear(3, 2)
        >>> with ts.autocast(ts.bfloat16):
        ...     y = layer(ts.ones((4, 3)))
        ...     loss = nn.functional.mse_loss(y, ts.zeros((4, 2)))
        >>> y.dtype, loss.dtype
        (trainsmith.bfloat16, trainsmith.float32)
        >>> loss.backward()
        >>> layer.weight.grad.dtype
        trainsmith.float32

    Source: Micikevicius et al. 2018, section 3.
    """
    chosen = as_dtype(dtype)
    if chosen not in (bfloat16, float16):
        raise problem(DTypeError, "autocast", "trainsmith.bfloat16 or trainsmith.float16", str(chosen))
    return _Autocast(chosen if enabled else None)


def is_autocast_enabled() -> bool:
    """Says whether products compute in a narrow dtype in this thread.

    Returns:
        True inside `autocast`.

    Example:
        >>> import trainsmith as ts
        >>> with ts.autocast():
        ...     ts.is_autocast_enabled()
        True
    """
    return _core.autocast_dtype() is not None
