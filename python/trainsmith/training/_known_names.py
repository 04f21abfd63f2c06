"""Checks the names in the configuration of a built-in component."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainsmith.data._nearest import nearest
from trainsmith.data._options import InvalidConfigError, Problem
from trainsmith.data._wording import shown


def check_names(place: str, config: Mapping[str, Any], needed: Sequence[str], more: Sequence[str]) -> None:
    """Refuses unknown and missing names, all of them in one error.

    Args:
        place: the component's name.
        config: its settings.
        needed: the names that must be there.
        more: the names that may be there.

    Raises:
        ConfigError: a name is unknown or missing.

    Example:
        >>> check_names("csv", {"data": {}}, ("data",), ("split",))
    """
    known = (*needed, *more)
    problems = [
        Problem(f"{name} is no known key of {place}", "a known key", shown(name), nearest(name, known))
        for name in config
        if name not in known
    ]
    problems += [
        Problem(f"{name} must be given to {place}", "a value", "nothing", "add the key")
        for name in needed
        if name not in config
    ]
    if problems:
        raise InvalidConfigError(problems)
