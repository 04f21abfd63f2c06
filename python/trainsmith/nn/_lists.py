"""Lists and dicts of modules and of parameters, whose state a module then finds."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, cast, final, overload

from trainsmith._core import Parameter, Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, IndexRangeError
from trainsmith.nn._module import Module


def _place(op: str, index: int, count: int) -> int:
    """Gives an index from 0 on, after checking it."""
    place = operator.index(index)
    if not -count <= place < count:
        raise problem(IndexRangeError, op, f"an index in [-{count}, {count})", str(place))
    return place % count if count else 0


def _pairs(items: Any) -> Iterable[tuple[str, Any]]:
    """Gives names and values of a mapping, a dict of this file, or pairs."""
    return items.items() if hasattr(items, "items") else items


@final
class ModuleList(Module):
    """Holds modules in a list; their names are 0, 1, ... It is not called.

    Args:
        modules: its first elements.

    Example:
        >>> from trainsmith import nn
        >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))
        >>> list(layers.state_dict())
        ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _items(self) -> list[Module]:
        return cast(list[Module], list(self._modules.values()))

    def _replace(self, modules: Iterable[Module]) -> None:
        held = list(modules)
        self._modules.clear()
        self.mark_changed()
        for place, module in enumerate(held):
            self.add_module(str(place), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    def __contains__(self, module: object) -> bool:
        return any(module is held for held in self._items())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> "ModuleList": ...
    def __getitem__(self, index: int | slice) -> "Module | ModuleList":
        if isinstance(index, slice):
            return ModuleList(self._items()[index])
        return self._items()[_place("ModuleList", index, len(self))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(_place("ModuleList", index, len(self))), module)

    def __delitem__(self, index: int | slice) -> None:
        held = self._items()
        del held[index if isinstance(index, slice) else _place("ModuleList", index, len(self))]
        self._replace(held)

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def append(self, module: Module) -> Self:
        """Adds a module at the end.

        Returns:
            This list.
        """
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds modules at the end.

        Returns:
            This list.
        """
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Adds a module before a place, as `list.insert` does."""
        held = self._items()
        held.insert(index, module)
        self._replace(held)

    def pop(self, index: int = -1) -> Module:
        """Removes a module and gives it."""
        module = self[index]
        del self[index]
        return module


@final
class ModuleDict(Module):
    """Holds modules by name, in order. It is not called.

    Args:
        modules: its first items.

    Example:
        >>> from trainsmith import nn
        >>> heads = nn.ModuleDict({"mean": nn.Linear(2, 1), "scale": nn.Linear(2, 1)})
        >>> list(heads.state_dict())
        ['mean.weight', 'mean.bias', 'scale.weight', 'scale.bias']
    """

    def __init__(self, modules: "Mapping[str, Module] | Iterable[tuple[str, Module]] | None" = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __getitem__(self, name: str) -> Module:
        if name not in self._modules:
            raise problem(ArgumentError, "ModuleDict", f"a name among {', '.join(self._modules) or 'none'}", repr(name))
        return cast(Module, self._modules[name])

    def __setitem__(self, name: str, module: Module) -> None:
        if name in self._modules:
            setattr(self, name, module)
        else:
            self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self, name)

    def keys(self) -> Iterable[str]:
        """Gives the names in order."""
        return list(self._modules)

    def values(self) -> Iterable[Module]:
        """Gives the modules in order."""
        return cast(list[Module], list(self._modules.values()))

    def items(self) -> Iterable[tuple[str, Module]]:
        """Gives names and modules in order."""
        return cast(list[tuple[str, Module]], list(self._modules.items()))

    def update(self, modules: "Mapping[str, Module] | Iterable[tuple[str, Module]] | ModuleDict") -> None:
        """Adds or replaces modules by name."""
        for name, module in _pairs(modules):
            self[name] = module

    def pop(self, name: str) -> Module:
        """Removes a module and gives it."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Removes all modules."""
        self._modules.clear()
        self.mark_changed()


def _as_parameter(value: Tensor) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value.detach())


@final
class ParameterList(Module):
    """Holds parameters in a list; their names are 0, 1, ... Other tensors become parameters.

    Args:
        values: its first elements.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> list(nn.ParameterList([ts.zeros(2), ts.ones(3)]).state_dict())
        ['0', '1']
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(cast(list[Parameter], list(self._parameters.values())))

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> "ParameterList": ...
    def __getitem__(self, index: int | slice) -> "Parameter | ParameterList":
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return list(self)[_place("ParameterList", index, len(self))]

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, str(_place("ParameterList", index, len(self))), _as_parameter(value))

    def append(self, value: Tensor) -> Self:
        """Adds a parameter at the end.

        Returns:
            This list.
        """
        self.register_parameter(str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Adds parameters at the end.

        Returns:
            This list.
        """
        for value in values:
            self.append(value)
        return self


@final
class ParameterDict(Module):
    """Holds parameters by name, in order. Other tensors become parameters.

    Args:
        parameters: its first items.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> list(nn.ParameterDict({"scale": ts.ones(3)}).state_dict())
        ['scale']
    """

    def __init__(self, parameters: "Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None" = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._parameters))

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def __getitem__(self, name: str) -> Parameter:
        if name not in self._parameters:
            known = ", ".join(self._parameters) or "none"
            raise problem(ArgumentError, "ParameterDict", f"a name among {known}", repr(name))
        return cast(Parameter, self._parameters[name])

    def __setitem__(self, name: str, value: Tensor) -> None:
        if name in self._parameters:
            setattr(self, name, _as_parameter(value))
        else:
            self.register_parameter(name, _as_parameter(value))

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self, name)

    def keys(self) -> Iterable[str]:
        """Gives the names in order."""
        return list(self._parameters)

    def values(self) -> Iterable[Parameter]:
        """Gives the parameters in order."""
        return cast(list[Parameter], list(self._parameters.values()))

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Gives names and parameters in order."""
        return cast(list[tuple[str, Parameter]], list(self._parameters.items()))

    def update(self, parameters: "Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | ParameterDict") -> None:
        """Adds or replaces parameters by name."""
        for name, value in _pairs(parameters):
            self[name] = value
