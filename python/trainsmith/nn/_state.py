"""Reading and writing the state of a module."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Parameter, Tensor, apply, to_device
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError, ShapeError
from trainsmith.nn._slots import Cell, Slots, buffers_of, modules_of, parameters_of


class LoadResult(NamedTuple):
    """What `load_state_dict` found.

    Args:
        missing_keys: names of the module that the state lacks.
        unexpected_keys: names of the state that the module lacks.
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


def cells_of(module: Slots, prefix: str = "") -> Iterator[tuple[str, Cell]]:
    """Yields the persistent state of a module with its names, in torch's order; shared cells come under each name."""
    for name, param in parameters_of(module).items():
        if param is not None:
            yield prefix + name, param
    for name, buffer in buffers_of(module).items():
        if buffer is not None and module.is_persistent(name):
            yield prefix + name, buffer
    for name, child in modules_of(module).items():
        if child is not None:
            yield from cells_of(child, f"{prefix}{name}.")


def name_parameter(param: Parameter, name: str) -> None:
    """Gives a parameter its dotted name for messages; a longer one with this end stays."""
    if not f".{param.name_}".endswith(f".{name}"):
        param.name_ = name


def read_state(module: Slots, prefix: str) -> dict[str, Tensor]:
    """Takes snapshots of all cells between the same two steps."""
    _outside_recording("state_dict")
    named = list(cells_of(module, prefix))
    for name, cell in named:
        if isinstance(cell, Parameter):
            name_parameter(cell, name)
    values = _core.read_together([cell for _, cell in named])
    return {name: value for (name, _), value in zip(named, values)}


def write_state(module: Slots, state: Mapping[str, Any], strict: bool) -> LoadResult:
    """Copies values into the cells, all of them or none."""
    _outside_recording("load_state_dict")
    cells = dict(cells_of(module))
    missing = [name for name in cells if name not in state]
    unexpected = [name for name in state if name not in cells]
    problems = [f"missing: {name}" for name in missing] if strict else []
    problems += [f"unexpected: {name}" for name in unexpected] if strict else []
    values: list[tuple[Cell, Tensor]] = []
    misfits: list[str] = []
    for name, cell in cells.items():
        if name in state:
            value = asarray(state[name])
            misfits += _misfits(name, cell, value)
            values.append((cell, value))
    if problems or misfits:
        raise _refusal(module, [*problems, *misfits], ArgumentError if problems else ShapeError)
    for cell, value in values:
        cell.copy_(fitted(value, cell))
    return LoadResult(missing, unexpected)


def fitted(value: Tensor, like: Tensor) -> Tensor:
    """Gives a value without tape, in the dtype and on the device of another tensor."""
    value = value.detach()
    if value.dtype != like.dtype:
        value = apply("astype", (value,), {"dtype": like.dtype})
    return value if value.device == like.device else to_device(value, like.device)


def _misfits(name: str, cell: Cell, value: Tensor) -> list[str]:
    found: list[str] = []
    if value.shape != cell.shape:
        found.append(f"{name}: shape {value.shape} for {cell.shape}")
    if value.dtype.is_floating != cell.dtype.is_floating:
        found.append(f"{name}: dtype {value.dtype} for {cell.dtype}")
    return found


def _refusal(module: Slots, problems: list[str], kind: type[ArgumentError | ShapeError]) -> Exception:
    rule = f"names, shapes and kinds of dtype of the {type(module).__name__}, and loaded nothing; rename or convert"
    if kind is ArgumentError:
        rule += ", or pass strict=False to skip names"
    return problem(kind, "load_state_dict", rule, "".join(f"\n  {one}" for one in problems))


def _outside_recording(op: str) -> None:
    if _core.recording():
        raise problem(
            GraphError, op, "a call outside compiled functions, before or after the step", "a call inside one"
        )
