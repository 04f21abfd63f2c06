"""Writes plain values as TOML; the standard library only reads it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError


def toml_value(value: Any) -> str:
    """Writes one value as TOML.

    Args:
        value: text, number, boolean, list or mapping of these.

    Returns:
        The text after `=`.

    Raises:
        ConfigError: None, or another value that TOML cannot hold.

    Example:
        >>> toml_value({"hidden": [64, 64], "dropout": 0.1})
        '{ hidden = [64, 64], dropout = 0.1 }'
    """
    if isinstance(value, Mapping):
        entries = cast(Mapping[str, Any], value)
        return "{ " + ", ".join(f"{toml_key(key)} = {toml_value(one)}" for key, one in entries.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(one) for one in cast(Sequence[Any], value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise worded(
        ConfigError,
        "toml",
        "values must be texts, numbers, booleans, lists or tables",
        expected="one of them",
        got=shown(value),
        step="leave the entry out, or write JSON",
    )


def toml_key(key: str) -> str:
    """Writes a key, in quotes where it needs them.

    Args:
        key: the key.

    Returns:
        The text before `=`.

    Example:
        >>> toml_key("a-b"), toml_key("a b")
        ('a-b', '"a b"')
    """
    plain = key.replace("-", "").replace("_", "")
    return key if plain.isascii() and plain.isalnum() else toml_value(key)


def toml_text(entries: Mapping[str, Any]) -> str:
    """Writes a table, one line per entry.

    Args:
        entries: key to plain value.

    Returns:
        Text that a TOML parser reads back to the same values.

    Raises:
        ConfigError: a value that TOML cannot hold.

    Example:
        >>> print(toml_text({"rate": 0.1, "more": {"a": [1]}}), end="")
        rate = 0.1
        more = { a = [1] }
    """
    return "".join(f"{toml_key(key)} = {toml_value(value)}\n" for key, value in entries.items())
