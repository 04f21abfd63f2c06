"""What a module holds: parameters, buffers, sub-modules and plain attributes, each in its place."""

from collections.abc import Mapping
from typing import Any, cast

from trainsmith import _core
from trainsmith._core import Buffer, Parameter, Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


Cell = Parameter | Buffer


def parameters_of(module: "Slots") -> dict[str, Parameter | None]:
    """Gives the parameters that a module itself holds."""
    return module.__dict__["_parameters"]


def buffers_of(module: "Slots") -> dict[str, Buffer | None]:
    """Gives the buffers that a module itself holds."""
    return module.__dict__["_buffers"]


def modules_of(module: "Slots") -> "dict[str, Slots | None]":
    """Gives the modules that a module itself holds."""
    return module.__dict__["_modules"]


def quoted(names: list[str]) -> str:
    """Lists names for a message."""
    return ", ".join(map(repr, names)) or "none"


class Slots:
    """The storage of a module. Attribute access finds registered parameters, buffers and modules by name.

    `_version` counts changes that a captured step would have to be recorded again for: any attribute but `training`.
    """

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _version=0,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent=set(),
            _pre_hooks={},
            _hooks={},
        )

    training: bool
    _version: int
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Buffer | None]
    _modules: dict[str, "Slots | None"]
    _non_persistent: set[str]

    def mark_changed(self) -> None:
        """Says that captured steps which used this module must be recorded again."""
        self.__dict__["_version"] = self._version + 1
        _core.note_change()

    def is_persistent(self, name: str) -> bool:
        """Says whether `state_dict` lists a buffer of this module."""
        return name not in self._non_persistent

    def _registries(self) -> tuple[dict[str, Any], ...]:
        if "_parameters" not in self.__dict__:
            name = type(self).__name__
            raise AttributeError(f"{name}: call super().__init__() before assigning parameters, buffers or modules")
        return self._parameters, self._buffers, self._modules

    def _register(self, kind: str, name: str, value: Any) -> None:
        """Puts a value in its place, after checking its name."""
        registries = self._registries()
        place = cast(dict[str, Any], self.__dict__[kind])
        taken = name not in place and (name in self.__dict__ or hasattr(type(self), name))
        taken = taken or any(name in other for other in registries if other is not place)
        if not name or "." in name or taken:
            rule = "a name that is not empty, has no dot and is not an attribute yet"
            raise problem(ArgumentError, type(self).__name__, rule, repr(name))
        place[name] = value
        self.mark_changed()

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, found later as an attribute.

        Args:
            name: without dots, not an attribute yet.
            param: the parameter; None keeps the name for an absent one.

        Raises:
            ArgumentError: the name is taken or has a dot, or `param` is no Parameter.
        """
        require_kind(self, name, param, Parameter, "a Parameter or None")
        self._register("_parameters", name, param)
        if param is not None and param.name_ == "parameter":
            param.name_ = name

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that belongs to the state but is not trained, found later as an attribute.

        Args:
            name: without dots, not an attribute yet.
            tensor: its value, which is copied into a cell unless it is a Buffer; None keeps the name for an absent one.
            persistent: whether `state_dict` lists it.

        Raises:
            ArgumentError: the name is taken or has a dot, or `tensor` is no tensor.
        """
        require_kind(self, name, tensor, Tensor, "a tensor or None")
        self._register("_buffers", name, _as_buffer(tensor))
        (self._non_persistent.discard if persistent else self._non_persistent.add)(name)

    def __getattr__(self, name: str) -> Any:
        for registry in ("_parameters", "_buffers", "_modules"):
            held: Mapping[str, Any] = self.__dict__.get(registry, {})
            if name in held:
                return held[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "training":
            self.__dict__[name] = bool(value)
            _core.note_change()
        elif isinstance(value, Parameter):
            self._assign("_parameters", name, value)
        elif isinstance(value, Slots):
            self._assign("_modules", name, value)
        elif isinstance(value, Buffer):
            self._assign("_buffers", name, value)
        else:
            self._set_plain(name, value)

    def _assign(self, kind: str, name: str, value: Any) -> None:
        """Registers a value under a name, whatever had the name before."""
        self._registries()
        if self.__dict__[kind].get(name) is value:
            return
        for other in ("_parameters", "_buffers", "_modules"):
            if other != kind:
                self.__dict__[other].pop(name, None)
        self.__dict__.pop(name, None)
        if kind == "_parameters":
            self.register_parameter(name, value)
        elif kind == "_buffers":
            self.register_buffer(name, value, persistent=name not in self._non_persistent)
        else:
            self._register(kind, name, value)

    def _set_plain(self, name: str, value: Any) -> None:
        registered: dict[str, dict[str, Any]] = {
            kind: self.__dict__[kind] for kind in ("_parameters", "_buffers", "_modules") if kind in self.__dict__
        }
        place = next((kind for kind, held in registered.items() if name in held), None)
        if place is None:
            self._set_attribute(name, value)
        elif value is None:
            if registered[place][name] is not None:
                registered[place][name] = None
                self.mark_changed()
        elif place == "_buffers" and isinstance(value, Tensor):
            self._set_buffer(name, value)
        else:
            kind = {"_parameters": "a Parameter", "_buffers": "a tensor", "_modules": "a Module"}[place]
            raise _wrong_kind(self, name, f"{kind} or None", value)

    def _set_attribute(self, name: str, value: Any) -> None:
        known = name in self.__dict__
        old = self.__dict__.get(name)
        object.__setattr__(self, name, value)
        same = known and _is_same(value, old)
        # A tensor that a step leaves in an attribute is new at each recording and changes nothing about the step.
        if not same and not (isinstance(value, Tensor) and _core.recording()) and "_version" in self.__dict__:
            self.mark_changed()

    def _set_buffer(self, name: str, value: Tensor) -> None:
        held = self._buffers[name]
        if held is not None and (held.shape, held.dtype, held.device) == (value.shape, value.dtype, value.device):
            held.copy_(value)
            return
        self._buffers[name] = _as_buffer(value)
        self.mark_changed()

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(kind, {}):
                del self.__dict__[kind][name]
                self._non_persistent.discard(name)
                self.mark_changed()
                return
        object.__delattr__(self, name)
        self.mark_changed()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})


def require_kind(module: Slots, name: str, value: object, kind: type, wanted: str) -> None:
    """Refuses to register what is neither None nor of a kind.

    Raises:
        ArgumentError: such a value.
    """
    if value is not None and not isinstance(value, kind):
        raise _wrong_kind(module, name, wanted, value)


def _is_same(one: Any, two: Any) -> bool:
    """Says whether two attributes are one object, or equal and made of numbers and text alone."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        first, second = cast(dict[Any, Any], one), cast(dict[Any, Any], two)
        return list(first) == list(second) and all(_is_same(first[key], second[key]) for key in first)
    if isinstance(one, tuple | list):
        parts, others = cast(list[Any], one), cast(list[Any], two)
        return len(parts) == len(others) and all(map(_is_same, parts, others))
    return isinstance(one, _PLAIN) and one == two


def _as_buffer(tensor: Tensor | None) -> Buffer | None:
    return tensor if tensor is None or isinstance(tensor, Buffer) else Buffer(tensor.detach())


def _wrong_kind(module: Slots, name: str, wanted: str, value: object) -> ArgumentError:
    rule = f"{wanted} for {name!r}; wrap the value, or delete the attribute first"
    return problem(ArgumentError, type(module).__name__, rule, type(value).__name__)
