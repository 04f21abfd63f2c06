"""Parameters that are computed from others."""

from typing import Any, SupportsIndex, TypeVar, cast

from trainsmith._core import Parameter, Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.nn._lists import ModuleDict
from trainsmith.nn._module import Module

M = TypeVar("M", bound=Module)


class WeightNorm(Module):
    """Computes a weight from its length and its direction.

    w = g v / ‖v‖, with one norm for each index of an axis.

    Args:
        weight: where both start from.
        axis: the axis that keeps a norm for each index; one norm for all where None.

    Attributes:
        original0: g.
        original1: v, shape of the weight.
    """

    original0: Parameter
    original1: Parameter

    def __init__(self, weight: Tensor, axis: int | None) -> None:
        super().__init__()
        self.axes = tuple(range(weight.ndim)) if axis is None else tuple(a for a in range(weight.ndim) if a != axis)
        start = weight.detach()
        self.original0 = Parameter(_length(start, self.axes))
        self.original1 = Parameter(start)

    def forward(self) -> Tensor:
        """Gives w."""
        direction = self.original1 / _length(self.original1, self.axes)
        return direction * self.original0


def weight_norm(module: M, name: str = "weight", axis: int | None = 0) -> M:
    """Trains length and direction of a weight apart.

    w = g v / ‖v‖. The parameter's place is taken by `parametrizations.<name>.original0` (g) and `original1` (v), as in
    torch; reading the attribute computes w.

    Args:
        module: what holds the parameter; it is changed.
        name: of the parameter.
        axis: the axis that keeps a norm for each index, torch's `dim`; one norm for all where None.

    Returns:
        The module.

    Raises:
        ArgumentError: no parameter of this name, or no such axis.

    Example:
        >>> from trainsmith import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
        >>> list(layer.state_dict())
        ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']

    Source: Salimans and Kingma 2016, equation 2.
    """
    weight = dict(module.named_parameters(recurse=False)).get(name)
    if weight is None:
        raise problem(ArgumentError, "weight_norm", f"a parameter of the {type(module).__name__}", repr(name))
    if axis is not None and not -weight.ndim <= axis < weight.ndim:
        raise problem(ArgumentError, "weight_norm", f"an axis in [-{weight.ndim}, {weight.ndim})", str(axis))
    norm = WeightNorm(weight, None if axis is None else axis % weight.ndim)
    delattr(module, name)
    if "parametrizations" not in dict(module.named_children()):
        module.add_module("parametrizations", ModuleDict())
        cast(Any, module).__class__ = _computing(type(module))
    cast(ModuleDict, module.get_submodule("parametrizations"))[name] = norm
    setattr(type(module), name, _computed(name))
    return module


def _computing(kind: type[Module]) -> Any:
    """Makes a class of its own for one module, so that attributes can be computed for this module alone."""
    own = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__reduce_ex__": _reduce}
    return type(kind.__name__, (kind,), own)


def _computed(name: str) -> property:
    return property(lambda self: self.get_submodule(f"parametrizations.{name}")())


def _reduce(module: Module, protocol: SupportsIndex) -> tuple[Any, ...]:
    """Answers `pickle` and `copy`: the class that was there first, and the names that are computed."""
    own = type(module)
    names = [name for name, member in vars(own).items() if isinstance(member, property)]
    return _rebuild, (own.__bases__[0], names), *object.__reduce_ex__(module, protocol)[2:]


def _rebuild(kind: type[Module], names: list[str]) -> Module:
    own = _computing(kind)
    for name in names:
        setattr(own, name, _computed(name))
    return own.__new__(own)


def _length(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return cast(Tensor, apply("sqrt", (apply("sum", (x * x,), {"axis": axes, "keepdims": True}),)))
