"""Options under torch's names, and what the core calls their parts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError

# Options that several numbers of the core make up.
_TUPLES = {
    "betas": ("beta1", "beta2"),
    "eps": ("eps1", "eps2"),
    "ns_coefficients": ("ns_a", "ns_b", "ns_c"),
}
# Options that are one of a few values; the core counts them.
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "adjust_lr_fn": (None, "original", "match_rms_adamw"),
    "eps_mode": ("torch", "kingma"),
}
# Options that count something.
_COUNTS = ("min_8bit_size", "ns_steps")
# Parts that may be None, which the core holds as NaN.
_OPTIONAL = ("eps1",)


def joined(options: Mapping[str, Any]) -> dict[str, Any]:
    """Turns options of the core into torch's, the learning rate first."""
    result = {"lr": options["lr"]} if "lr" in options else {}
    parts: set[str] = set()
    for name, names in _TUPLES.items():
        if all(part in options for part in names):
            result[name] = tuple(_shown(part, options[part]) for part in names)
            parts.update(names)
    result.update({name: _shown(name, value) for name, value in options.items() if name not in parts})
    return result


def _shown(name: str, value: Any) -> Any:
    if name in _CHOICES:
        return _CHOICES[name][int(value)]
    if name in _COUNTS:
        return int(value)
    return None if name in _OPTIONAL and math.isnan(value) else value


def split(
    optimizer: str, options: Mapping[str, Any], known: Mapping[str, float], flag_names: Mapping[str, bool]
) -> tuple[dict[str, float], dict[str, bool]]:
    """Turns torch's options into numbers and flags of the core.

    Args:
        optimizer: name of the optimizer, for messages.
        options: by torch's names.
        known: the numbers that the core has for the optimizer.
        flag_names: the flags that it has.

    Returns:
        Numbers, and flags, by the core's names.

    Raises:
        ArgumentError: a value that is no number or none of the choices, or a tuple of another length.
    """
    numbers: dict[str, float] = {}
    flags: dict[str, bool] = {}
    for name, value in options.items():
        if name in flag_names:
            flags[name] = bool(value)
        elif name in _TUPLES and _TUPLES[name][0] in known:
            names = _TUPLES[name]
            values: Sequence[Any] = tuple(value)
            if len(values) != len(names):
                raise problem(ArgumentError, optimizer, f"{name}: {len(names)} numbers", repr(value))
            numbers.update({part: number(optimizer, name, part, one) for part, one in zip(names, values)})
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                choices = ", ".join(repr(choice) for choice in _CHOICES[name])
                raise problem(ArgumentError, optimizer, f"{name} to be one of {choices}", repr(value))
            numbers[name] = float(_CHOICES[name].index(value))
        else:
            numbers[name] = number(optimizer, name, name, value)
    return numbers, flags


def number(optimizer: str, name: str, part: str, value: Any) -> float:
    """Gives a number of the core.

    Args:
        optimizer: name of the optimizer, for messages.
        name: of the option.
        part: what the core calls it, or its part.
        value: a number; None for a part that may be absent.

    Raises:
        ArgumentError: a value that is no number.
    """
    given: Any = math.nan if value is None and part in _OPTIONAL else value
    try:
        return float(given)
    except (TypeError, ValueError):
        raise problem(ArgumentError, optimizer, f"{name} to be a number", repr(value)) from None
