"""Checks the fields of a configuration against one rule each, and reports all problems in one error."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from math import isfinite
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar, cast

from trainsmith.data._nearest import nearest
from trainsmith.data._wording import shown
from trainsmith.errors import ConfigError

T = TypeVar("T")
Kind = Literal["int", "float", "number", "str", "bool", "ints", "strs", "map", "scores", "config", "configs"]

_NAMES: dict[Kind, str] = {
    "int": "a whole number",
    "float": "a number",
    "number": "a number or nothing",
    "str": "a text in quotes",
    "bool": "true or false",
    "ints": "a list of whole numbers",
    "strs": "a list of texts",
    "map": "a table",
    "scores": "a table of numbers",
    "config": "a table",
    "configs": "a list of tables",
}


class Problem(NamedTuple):
    """One broken rule of a configuration."""

    rule: str
    expected: str
    got: str
    step: str

    def __str__(self) -> str:
        """Reads `rule; expected ..., got ...; step`."""
        return f"{self.rule}; expected {self.expected}, got {self.got}; {self.step}"


class InvalidConfigError(ConfigError):
    """A configuration error that carries every problem found.

    Args:
        problems: at least one.
        source: the file's name, empty where the configuration came from code.
    """

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        where = f" of {source}" if source else ""
        if len(problems) == 1:
            message = f"config{where}: {problems[0]}"
        else:
            message = "\n  ".join([f"config{where}: {len(problems)} problems", *map(str, problems)])
        super().__init__(message, op="config", expected=problems[0].expected, got=problems[0].got)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """The rule of one configuration field.

    Args:
        doc: one line for the reader of a configuration file.
        kind: the type of the value.
        low: smallest allowed number; for a list, of each entry.
        high: largest allowed number.
        above: the number must be larger.
        below: the number must be smaller.
        choices: the allowed texts, where they are a closed set.
        key: the name in a TOML file, where it is not the field's.
        in_file: whether a TOML file may hold the field.
        config: the class of a nested configuration.

    The kind `number` may be infinite, NaN or None and `scores` maps texts to such numbers: they hold results.
    """

    doc: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    key: str = ""
    in_file: bool = True
    config: type["Config"] | None = None

    def bounds(self) -> str:
        """Says what is expected."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        limits = [
            f"{word} {limit:g}"
            for word, limit in (
                ("at least", self.low),
                ("above", self.above),
                ("at most", self.high),
                ("below", self.below),
            )
            if limit is not None
        ]
        return " ".join([_NAMES[self.kind], " and ".join(limits)]).strip()

    def accepts(self, value: object) -> bool:
        """Says whether a value fits the rule; nested configurations check themselves."""
        match self.kind:
            case "int":
                return _is_int(value) and self._within(cast(int, value))
            case "float":
                return isinstance(value, int | float) and not isinstance(value, bool) and self._within(value)
            case "number":
                return _is_number_or_none(value)
            case "scores":
                return isinstance(value, Mapping) and all(
                    isinstance(name, str) and _is_number_or_none(one)
                    for name, one in cast(Mapping[Any, Any], value).items()
                )
            case "bool":
                return isinstance(value, bool)
            case "str":
                return isinstance(value, str) and (not self.choices or value in self.choices)
            case "ints":
                return _is_list(value) and all(_is_int(one) and self._within(one) for one in cast(list[Any], value))
            case "strs":
                return _is_list(value) and all(isinstance(one, str) for one in cast(list[Any], value))
            case "map":
                return isinstance(value, Mapping)
            case "config":
                return self.config is not None and isinstance(value, self.config)
            case "configs":
                kind = self.config
                return (
                    kind is not None
                    and _is_list(value)
                    and all(isinstance(one, kind) for one in cast(list[Any], value))
                )

    def _within(self, value: float) -> bool:
        return (
            isfinite(value)
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


class Config(Protocol):
    """A frozen dataclass whose fields were made with `option`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


C = TypeVar("C", bound=Config)


def declared(doc: str, kind: Kind, **bounds: Any) -> dict[str, Option]:
    """Makes the metadata of a configuration field that `dataclasses.field` declares.

    Args:
        doc: one line for the reader.
        kind: the type of the value.
        bounds: further fields of `Option`.

    Returns:
        The metadata.

    Example:
        >>> declared("the rate", "float", above=0)["option"].bounds()
        'a number above 0'
    """
    return {"option": Option(doc=doc, kind=kind, **bounds)}


def option(default: T, doc: str, kind: Kind, **bounds: Any) -> T:
    """Declares a configuration field with its rule.

    Args:
        default: the default.
        doc: one line for the reader.
        kind: the type of the value.
        bounds: further fields of `Option`.

    Returns:
        A dataclass field, typed as its default.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Example:
        ...     rate: float = option(0.1, "the rate", "float", above=0)
        >>> Example().rate
        0.1
    """
    metadata = declared(doc, kind, **bounds)
    if isinstance(default, dict):
        return cast(T, field(default_factory=dict, metadata=metadata))
    return cast(T, field(default=default, metadata=metadata))


def required(doc: str, kind: Kind, **bounds: Any) -> Any:
    """Declares a configuration field that has no default.

    Args:
        doc: one line for the reader.
        kind: the type of the value.
        bounds: further fields of `Option`.

    Returns:
        A dataclass field.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Example:
        ...     path: str = required("the file", "str")
        >>> Example(path="a.csv").path
        'a.csv'
    """
    return field(metadata=declared(doc, kind, **bounds))


def options(config: type[Config]) -> dict[str, Option]:
    """Returns the rules of a configuration class by field name; fields without one are no plain values."""
    return {one.name: one.metadata["option"] for one in fields(config) if "option" in one.metadata}


def file_options(config: type[Config]) -> dict[str, tuple[str, Option]]:
    """Returns field name and rule by the key of a TOML file."""
    return {one.key or name: (name, one) for name, one in options(config).items() if one.in_file}


def check(config: Config, extra: Sequence[Problem] = ()) -> None:
    """Checks every field of a configuration; for `__post_init__`.

    Args:
        config: the configuration.
        extra: further problems, found by comparing fields.

    Raises:
        InvalidConfigError: a field breaks its rule.
    """
    name = type(config).__name__
    problems = [
        _wrong_value(f"{name}.{field_name}", rule, value)
        for field_name, rule in options(type(config)).items()
        if not rule.accepts(value := getattr(config, field_name))
    ]
    if problems or extra:
        raise InvalidConfigError([*problems, *extra])


def to_dict(config: Config, *, keep_none: bool = True) -> dict[str, Any]:
    """Returns a configuration as plain values under its JSON names.

    Args:
        config: the configuration.
        keep_none: whether fields that are None are part of it; TOML cannot hold them.

    Returns:
        The plain values.
    """
    values = {name: (getattr(config, name), rule) for name, rule in options(type(config)).items()}
    return {
        name: _plain(value, rule, keep_none) for name, (value, rule) in values.items() if keep_none or value is not None
    }


def _plain(value: Any, rule: Option, keep_none: bool) -> Any:
    if rule.kind == "config":
        return to_dict(value, keep_none=keep_none)
    if rule.kind == "configs":
        return [to_dict(one, keep_none=keep_none) for one in value]
    if rule.kind in ("ints", "strs"):
        return list(value)
    return dict(value) if rule.kind in ("map", "scores") else value


def read(config: type[C], entries: Mapping[str, Any], where: str, *, file: bool = False) -> C:
    """Builds a configuration from plain values, strictly.

    Args:
        config: the class.
        entries: the values by JSON name, or by TOML key with `file`.
        where: the place in the file, such as `training`; part of the messages.
        file: whether the names are those of a TOML file.

    Returns:
        The configuration.

    Raises:
        InvalidConfigError: unknown or missing names, or values that break a rule; all of them.
    """
    rules = file_options(config) if file else {name: (name, one) for name, one in options(config).items()}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in entries.items():
        place = f"{where}.{key}" if where else key
        if key not in rules:
            problems.append(Problem(f"{place} is no known key", f"a key of [{where}]", shown(key), nearest(key, rules)))
            continue
        name, rule = rules[key]
        nested = _nested(rule, value, place)
        if nested:
            built: list[Any] = []
            for inner_place, inner in nested:
                try:
                    built.append(read(cast(type[Config], rule.config), inner, inner_place, file=file))
                except InvalidConfigError as error:
                    problems += error.problems
            if len(built) == len(nested):
                values[name] = tuple(built) if rule.kind == "configs" else built[0]
        elif rule.accepts(value):
            values[name] = tuple(cast(Sequence[Any], value)) if rule.kind in ("ints", "strs", "configs") else value
        else:
            problems.append(_wrong_value(place, rule, value))
    defaulted = {one.name for one in fields(config) if one.default is not MISSING or one.default_factory is not MISSING}
    problems += [
        Problem(f"{where}.{key} must be given", rule.bounds(), "nothing", f"add the key ({rule.doc})")
        for key, (name, rule) in rules.items()
        if name not in defaulted and key not in entries
    ]
    if problems:
        raise InvalidConfigError(problems)
    return config(**values)


def _nested(rule: Option, value: object, place: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns place and entries of each nested configuration, where the value has the form of one or a list of them."""
    if rule.kind == "config" and isinstance(value, Mapping):
        return [(place, cast(Mapping[str, Any], value))]
    if rule.kind == "configs" and _is_list(value):
        items = cast(list[Any], value)
        if all(isinstance(one, Mapping) for one in items):
            return [(f"{place}[{number}]", one) for number, one in enumerate(items)]
    return []


def _wrong_value(place: str, rule: Option, value: object) -> Problem:
    step = nearest(value, rule.choices) if rule.choices and isinstance(value, str) else f"change it ({rule.doc})"
    return Problem(f"{place} cannot take this value", rule.bounds(), shown(value), step)
