"""New cells for a module, of another dtype or on another device."""

from collections.abc import Iterator
from typing import cast
from weakref import WeakValueDictionary

from trainsmith._core import Buffer, DType, Parameter, Tensor, apply, to_device
from trainsmith._problem import problem
from trainsmith.errors import DTypeError
from trainsmith.nn._slots import Cell, Slots, buffers_of, modules_of, parameters_of

# Parameters that `convert` took out of a module, by identity, as long as something else holds them.
_replaced: WeakValueDictionary[int, Parameter] = WeakValueDictionary()


def was_replaced(param: Parameter) -> bool:
    """Says whether a conversion took the parameter out of its module."""
    return id(param) in _replaced


def convert(module: Slots, dtype: DType | None, device: str | None) -> None:
    """Replaces every cell whose dtype or device changes; shared cells stay shared.

    Args:
        module: whose cells, with those below it.
        dtype: the new dtype of floating cells.
        device: the new device.

    Raises:
        DTypeError: a dtype that is not floating.
    """
    if dtype is not None and not dtype.is_floating:
        raise problem(DTypeError, "to", "a floating dtype; integer buffers keep theirs", str(dtype))
    done: dict[int, Cell] = {}
    for owner in _everything(module, set()):
        for registry in (parameters_of(owner), buffers_of(owner)):
            places = cast(dict[str, Cell | None], registry)
            for name, cell in list(places.items()):
                if cell is not None and (new := _converted(cell, dtype, device, done)) is not cell:
                    places[name] = new
                    owner.mark_changed()


def _everything(module: Slots, seen: set[int]) -> Iterator[Slots]:
    if id(module) not in seen:
        seen.add(id(module))
        yield module
        for child in modules_of(module).values():
            if child is not None:
                yield from _everything(child, seen)


def _converted(cell: Cell, dtype: DType | None, device: str | None, done: dict[int, Cell]) -> Cell:
    if id(cell) not in done:
        new_dtype = dtype if dtype is not None and cell.dtype.is_floating else cell.dtype
        done[id(cell)] = _moved(cell, new_dtype, cell.device if device is None else device)
    return done[id(cell)]


def _moved(cell: Cell, dtype: DType, device: str) -> Cell:
    if (cell.dtype, cell.device) == (dtype, device):
        return cell
    new = _twin(cell, _value(cell, dtype, device))
    grad = cell.grad
    if grad is not None:
        new.grad = _value(grad, dtype, device)
    if isinstance(cell, Parameter):
        _replaced[id(cell)] = cell
    return new


def _value(tensor: Tensor, dtype: DType, device: str) -> Tensor:
    tensor = tensor.detach()
    if tensor.dtype != dtype:
        tensor = apply("astype", (tensor,), {"dtype": dtype})
    return to_device(tensor, device)


def _twin(cell: Cell, value: Tensor) -> Cell:
    """Makes a cell of the same kind with another value."""
    if isinstance(cell, Buffer):
        return Buffer(value)
    new = Parameter(value, cell.requires_grad)
    new.name_ = cell.name_
    return new
