"""Modules made of modules."""

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Self, cast, overload

from trainsmith._problem import problem
from trainsmith.errors import IndexRangeError
from trainsmith.nn._module import Module


class Sequential(Module):
    """Applies modules one after the other.

    Args:
        args: modules in order, named 0, 1, ...; or one OrderedDict that names them.

    Example:
        >>> from trainsmith import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
        )
    """

    @overload
    def __init__(self, *args: Module) -> None: ...
    @overload
    def __init__(self, args: "OrderedDict[str, Module]", /) -> None: ...
    def __init__(self, *args: Any) -> None:
        super().__init__()
        named: Iterable[tuple[Any, Any]] = enumerate(args)
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = cast("OrderedDict[Any, Any]", args[0]).items()
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        """Gives the output of the last module; each takes that of the one before."""
        for module in self:
            input = module(input)
        return input

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast(list[Module], list(self._modules.values())))

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return type(self)(OrderedDict(cast(list[tuple[str, Module]], list(self._modules.items())[index])))
        return cast(Module, self._modules[self._name(index)])

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        gone = list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]
        for name in gone:
            delattr(self, name)
        numbered = all(name.isdigit() for name in self._modules)
        if numbered:
            left = list(self._modules.values())
            self._modules.clear()
            self._modules.update((str(place), module) for place, module in enumerate(left))

    def append(self, module: Module) -> Self:
        """Adds a module at the end, named by the number of modules before it.

        Returns:
            This module.
        """
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds modules at the end.

        Returns:
            This module.
        """
        for module in modules:
            self.append(module)
        return self

    def _name(self, index: int) -> str:
        place, count = operator.index(index), len(self)
        if not -count <= place < count:
            raise problem(IndexRangeError, "Sequential", f"an index in [-{count}, {count})", str(place))
        return list(self._modules)[place]
