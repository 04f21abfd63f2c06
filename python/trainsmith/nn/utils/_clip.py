"""Limits for gradients."""

import math
from collections.abc import Iterable

from trainsmith._core import Tensor, apply, clip_by_norm, set_grad_enabled
from trainsmith._dtypes import float32
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, NonFiniteError


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scales gradients so that their norm, all taken together, is at most a bound.

    g ← g min(1, max_norm / (‖g‖ + 1e-6)). The squares of large gradients do not overflow.

    Args:
        parameters: whose gradients; those without one are skipped.
        max_norm: the bound, at least 0.
        norm_type: order of the norm, above 0; `math.inf` is the largest magnitude.
        error_if_nonfinite: whether to look at the norm and refuse an infinite one or NaN; not inside compiled
            functions, where `optimizer.step()` does that.

    Returns:
        The norm before scaling, shape ().

    Raises:
        ArgumentError: a negative bound, or an order that is not above 0.
        NonFiniteError: see `error_if_nonfinite`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> weight = nn.Parameter(ts.zeros(2))
        >>> weight.grad = ts.asarray([3.0, 4.0])
        >>> float(nn.utils.clip_grad_norm_([weight], max_norm=1.0))
        5.0

    Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.
    """
    if not max_norm >= 0 or not norm_type > 0:
        got = f"max_norm {max_norm}, norm_type {norm_type}"
        raise problem(ArgumentError, "clip_grad_norm_", "max_norm of at least 0 and norm_type above 0", got)
    grads = _grads(parameters)
    if not grads:
        return apply("full", (0.0,), {"shape": (), "dtype": float32})
    before = set_grad_enabled(False)
    try:
        norm, clipped = clip_by_norm(grads, max_norm, norm_type)
        if error_if_nonfinite and not math.isfinite(float(norm)):
            rule = "a finite norm; lower the learning rate, or pass error_if_nonfinite=False"
            raise problem(NonFiniteError, "clip_grad_norm_", rule, str(float(norm)))
        for grad, value in zip(grads, clipped):
            grad.copy_(value)
    finally:
        set_grad_enabled(before)
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limits every element of the gradients to ±clip_value.

    Args:
        parameters: whose gradients; those without one are skipped.
        clip_value: the bound, at least 0.

    Raises:
        ArgumentError: a negative bound.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> weight = nn.Parameter(ts.zeros(2))
        >>> weight.grad = ts.asarray([3.0, -0.5])
        >>> nn.utils.clip_grad_value_([weight], 1.0)
        >>> weight.grad.tolist()
        [1.0, -0.5]
    """
    if not clip_value >= 0:
        raise problem(ArgumentError, "clip_grad_value_", "clip_value of at least 0", str(clip_value))
    for grad in _grads(parameters):
        grad.copy_(apply("clip", (grad, -float(clip_value), float(clip_value))))


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [grad for parameter in given if (grad := parameter.grad) is not None]
