"""Reads and writes configuration files, and applies `--set`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from trainsmith.data._nearest import nearest
from trainsmith.data._options import Option, file_options
from trainsmith.data._toml import toml_key, toml_value
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, IoError
from trainsmith.training import JobConfig
from trainsmith.training._job_config import SECTIONS


def read_config(path: str, overrides: Sequence[str] = (), device: str | None = None) -> JobConfig:
    """Reads a configuration file.

    Args:
        path: the file; `data.path` in it is relative to it.
        overrides: `section.key=value` each; a `data.path` here is relative to the working directory.
        device: replaces `run.device`.

    Returns:
        The configuration with `data.path` resolved.

    Raises:
        IoError: the file is missing or cannot be read.
        ConfigError: the file is not TOML, or its content breaks rules; all of them.
    """
    sections = _parse(path)
    for override in overrides:
        _apply(sections, override)
    if device is not None:
        _apply(sections, f"run.device={device}")
    config = JobConfig.from_sections(sections, Path(path).name)
    resolved = Path(path).parent / Path(config.data.path).expanduser()
    return replace(config, data=replace(config.data, path=str(resolved)))


def _parse(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise worded(
            IoError,
            "config",
            "the configuration file must exist" if missing else "the configuration file must be readable",
            expected="a TOML file",
            got=shown(path) if missing else f"{shown(path)}: {error.strerror}",
            step="check the path, or make one with: trainsmith init data.csv --target COLUMN",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise worded(
            ConfigError,
            "config",
            f"{Path(path).name} must be TOML",
            expected="lines such as num_epochs = 200",
            got=str(error),
            step="fix that line; texts need quotes",
        ) from None


def _apply(sections: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not separator or len(keys) < 2 or not all(keys):
        raise worded(
            ConfigError,
            "config",
            "--set must name a section, a key and a value",
            expected="section.key=value, such as training.learning_rate=3e-4",
            got=shown(override),
            step="add the missing part",
        )
    if keys[0] not in SECTIONS:
        raise worded(
            ConfigError,
            "config",
            "--set must name a known section",
            expected="section.key=value",
            got=shown(override),
            step=nearest(keys[0], SECTIONS),
        )
    value = _value(text.strip(), _rule(keys))
    if keys == ["data", "path"]:
        value = str(Path(str(value)).expanduser().absolute())
    place = sections
    for key in keys[:-1]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise worded(
                ConfigError,
                "config",
                f"--set {name.strip()} must go into a table",
                expected=f"{key} = {{ ... }} in the file",
                got=shown(inner),
                step=f"set {key} itself",
            )
        place = cast(dict[str, Any], inner)
    place[keys[-1]] = value


def _rule(keys: Sequence[str]) -> Option | None:
    """Returns the rule of a key; None for free entries and unknown keys, which are found later."""
    config, rule = SECTIONS.get(keys[0]), None
    for key in keys[1:]:
        if config is None:
            return None
        _, rule = file_options(config).get(key, ("", None))
        config = None if rule is None else rule.config
    return rule


def _value(text: str, rule: Option | None) -> Any:
    """Reads a value as TOML; what is no TOML is a text, so quotes may be left out where a text is due."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if rule is not None and rule.kind == "str" and not isinstance(value, str):
        return text
    if rule is not None and rule.kind == "strs" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if rule is not None and rule.kind == "float" and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def write_config(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Writes sections as TOML.

    Args:
        sections: section name to its keys.

    Returns:
        Text that a TOML parser reads back to the same values.

    Example:
        >>> print(write_config({"data": {"path": "t.csv", "drop": ["id"]}}), end="")
        [data]
        path = "t.csv"
        drop = ["id"]
    """
    blocks = [
        "\n".join([f"[{name}]", *(f"{toml_key(key)} = {toml_value(value)}" for key, value in entries.items())])
        for name, entries in sections.items()
    ]
    return "\n\n".join(blocks) + "\n"
