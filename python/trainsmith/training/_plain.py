"""What every configuration and result can do: plain values, JSON and TOML, there and back."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast

from trainsmith.data._options import Config, check, options, read, to_dict
from trainsmith.data._toml import toml_text
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError


class Plain:
    """Base of frozen dataclasses whose fields were made with `option`: checked when made, and made from plain values.

    Example:
        >>> from dataclasses import dataclass
        >>> from trainsmith.data._options import option
        >>> @dataclass(frozen=True, kw_only=True)
        ... class RateConfig(Plain):
        ...     rate: float = option(0.1, "the rate", "float", above=0)
        >>> RateConfig.from_json(RateConfig(rate=0.5).to_json())
        RateConfig(rate=0.5)
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __post_init__(self) -> None:
        """Checks every field, and keeps lists as tuples."""
        check(self)
        for name, rule in options(type(self)).items():
            if rule.kind in ("ints", "strs", "configs"):
                object.__setattr__(self, name, tuple(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Returns the plain values under their JSON names."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> Self:
        """Builds an object from plain values, strictly.

        Args:
            entries: the values by JSON name.

        Returns:
            The object.

        Raises:
            ConfigError: unknown or missing names, or values that break a rule; all of them.
        """
        return cast(Self, read(cast(type[Config], cls), entries, _place(cls)))

    def to_json(self) -> str:
        """Returns the plain values as JSON; a number that is not finite is written as Python writes it."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Builds an object from JSON, strictly.

        Args:
            text: a JSON object.

        Returns:
            The object.

        Raises:
            ConfigError: the text is no JSON object, or breaks a rule of `from_dict`.
        """
        try:
            entries = json.loads(text)
        except json.JSONDecodeError as error:
            raise _unreadable(_place(cls), "JSON", str(error)) from None
        if not isinstance(entries, dict):
            raise _unreadable(_place(cls), "a JSON object", shown(entries))
        return cls.from_dict(cast(dict[str, Any], entries))

    def to_toml(self) -> str:
        """Returns the plain values as TOML; fields that are None are left out.

        Raises:
            ConfigError: a value that TOML cannot hold, such as None inside a list.
        """
        return toml_text(to_dict(self, keep_none=False))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Builds an object from TOML, strictly.

        Args:
            text: a TOML document.

        Returns:
            The object.

        Raises:
            ConfigError: the text is no TOML, or breaks a rule of `from_dict`.
        """
        try:
            entries = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _unreadable(_place(cls), "TOML", str(error)) from None
        return cls.from_dict(entries)


def _place(kind: type) -> str:
    """Names a class as messages do: `CVConfig` is `cv_config`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()


def _unreadable(place: str, expected: str, got: str) -> ConfigError:
    return worded(
        ConfigError,
        "config",
        f"{place} must be readable",
        expected=expected,
        got=got,
        step="check how the text was written",
    )
