"""How a law is stated, and what the kits share."""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trainsmith.errors import CancelledError
from trainsmith.training import RunContext

Array = npt.NDArray[np.generic]


def law(holds: bool, text: str, got: object = "") -> None:
    """States a law.

    Args:
        holds: whether it holds.
        text: the law, as a sentence.
        got: what was seen instead; empty where the sentence says it all.

    Raises:
        AssertionError: the law is broken.

    Example:
        >>> law(True, "one is one")
    """
    if not holds:
        raise AssertionError(f"broken law: {text}" + (f"; got {got!r}" if got != "" else ""))


def is_number(value: object) -> bool:
    """Says whether a value is a finite real number or a tensor that holds one."""
    try:
        return isfinite(float(cast(Any, value)))
    except (TypeError, ValueError):
        return False


def refuses_cancelled(call: Callable[[RunContext], object], name: str) -> None:
    """States that a method raises `CancelledError` when its context is done.

    Args:
        call: calls the method with a context.
        name: the method.

    Raises:
        AssertionError: it does not.
    """
    context = RunContext()
    context.cancel()
    try:
        call(context)
    except CancelledError:
        return
    law(False, f"{name} raises CancelledError when its context is cancelled", "no error")


def snapshot(parameters: Any) -> list[Array]:
    """Copies the values of parameters.

    Args:
        parameters: an iterable of parameters, or the method that gives one.

    Returns:
        One array per parameter.
    """
    found = cast(Iterable[Any], parameters() if callable(parameters) else parameters)
    return [np.array(one) for one in found]


def equal(left: Iterable[Array], right: Iterable[Array]) -> bool:
    """Says whether two lists of arrays hold the same bits; NaN equals NaN."""
    left, right = list(left), list(right)
    return len(left) == len(right) and all(
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
        for one, other in zip(left, right, strict=True)
    )


def is_mapping(value: object) -> bool:
    """Says whether a value is a mapping from texts."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in cast(Mapping[object, object], value))
