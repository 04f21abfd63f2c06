"""The state of an optimizer in torch's format."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import DType, Parameter, Tensor, to_device
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError
from trainsmith.optim._option_names import split

if TYPE_CHECKING:
    from trainsmith.optim._optimizer import Optimizer


class _Loaded(NamedTuple):
    """State of one parameter, checked."""

    param: Parameter
    step: int
    cells: dict[str, tuple[Tensor, DType]]
    running: dict[str, float]


class _Wanted(NamedTuple):
    """State that a parameter has after a step."""

    tensors: dict[str, tuple[tuple[int, ...], DType]]
    running: Sequence[str]


def read_state(optimizer: "Optimizer") -> dict[str, Any]:
    """Takes a snapshot of all state between the same two steps; parameters are numbered through all groups."""
    _outside_recording("state_dict")
    params = optimizer.parameters()
    held = [optimizer.core.param_state(param) for param in params]
    named = [(place, name, cell) for place, one in enumerate(held) for name, cell in one.cells().items()]
    values = _core.read_together([cell for _, _, cell in named])
    state: dict[int, dict[str, Any]] = {
        place: {"step": one.step, **one.running} for place, one in enumerate(held) if one.step
    }
    for (place, name, _), value in zip(named, values):
        state.setdefault(place, {"step": held[place].step})[name] = value
    groups: list[dict[str, Any]] = []
    first = 0
    for group in optimizer.param_groups:
        numbers = list(range(first, first + len(group["params"])))
        first += len(numbers)
        groups.append({**{key: value for key, value in group.items() if key != "params"}, "params": numbers})
    return {"state": state, "param_groups": groups}


def write_state(optimizer: "Optimizer", state_dict: Mapping[str, Any]) -> None:
    """Puts a state back, parameter by parameter in order, all of it or none."""
    _outside_recording("load_state_dict")
    op = f"{type(optimizer).__name__}.load_state_dict"
    if not {"state", "param_groups"} <= set(state_dict):
        raise problem(ArgumentError, op, 'a mapping with "state" and "param_groups"', str(sorted(state_dict)))
    groups: Sequence[Mapping[str, Any]] = state_dict["param_groups"]
    lengths = [len(group["params"]) for group in groups], [len(group["params"]) for group in optimizer.param_groups]
    if lengths[0] != lengths[1]:
        rule = f"groups of {lengths[1]} parameters; build the optimizer as it was when the state was saved"
        raise problem(ArgumentError, op, rule, f"groups of {lengths[0]}")
    numbers = [number for group in groups for number in group["params"]]
    problems: list[str] = []
    loaded: list[_Loaded] = []
    place = 0
    for group, mine in zip(groups, optimizer.param_groups):
        known = mine.options()
        options = {**known, **{key: value for key, value in group.items() if key in known}}
        for param in mine["params"]:
            entry = _entry(state_dict["state"], numbers[place])
            if entry is not None:
                loaded.append(_checked(place, param, entry, _wanted(optimizer, param, options), problems))
            place += 1
    if problems:
        rule = f"state that fits the parameters of {type(optimizer).__name__}, and loaded nothing"
        raise problem(ArgumentError, op, rule, "".join(f"\n  {one}" for one in problems))
    _write_groups(optimizer, groups)
    optimizer.core.clear_state()
    for one in loaded:
        target = optimizer.core.param_state(one.param)
        target.step = one.step
        target.running = one.running
        for name, (value, dtype) in one.cells.items():
            target.load(name, one.param, to_device(value, one.param.device), dtype)


def _wanted(optimizer: "Optimizer", param: Parameter, options: Mapping[str, Any]) -> _Wanted:
    """Asks the core for the state that a parameter has after a step under some options."""
    core = optimizer.core
    tensors, running = core.wanted_state(param, *split(type(optimizer).__name__, options, *core.defaults()))
    return _Wanted({name: (tuple(shape), dtype) for name, shape, dtype in tensors}, running)


def _entry(state: Mapping[Any, Any], number: Any) -> Mapping[str, Any] | None:
    """Finds the state of a parameter; keys that went through JSON are text."""
    found = state.get(number, state.get(str(number)))
    return cast(Mapping[str, Any] | None, found)


def _checked(place: int, param: Parameter, entry: Mapping[str, Any], wanted: _Wanted, problems: list[str]) -> _Loaded:
    given = {name: value for name, value in entry.items() if name != "step" and value is not None}
    # A state without a count was saved after a step: it exists only from then on.
    step = int(entry.get("step", 1 if given else 0))
    running = {name: float(given.pop(name)) for name in wanted.running if name in given}
    cells: dict[str, tuple[Tensor, DType]] = {}
    where = f"parameter {place} ({param.name_})"
    there = {*given, *running}
    problems += [
        f"{where}: missing {name}" for name in (*wanted.tensors, *wanted.running) if step and name not in there
    ]
    for name, one in given.items():
        if name not in wanted.tensors:
            problems.append(f"{where}: unexpected {name}")
            continue
        value, (shape, dtype) = asarray(one), wanted.tensors[name]
        cells[name] = value, dtype
        if value.shape != shape:
            problems.append(f"{where}: {name} of shape {value.shape} for {shape}")
        elif dtype.is_floating != value.dtype.is_floating:
            problems.append(f"{where}: {name} of dtype {value.dtype} for {dtype}")
    return _Loaded(param, step, cells, running)


def _write_groups(optimizer: "Optimizer", groups: Sequence[Mapping[str, Any]]) -> None:
    done: list[tuple[Any, dict[str, Any]]] = []
    try:
        for mine, group in zip(optimizer.param_groups, groups):
            known = mine.options()
            done.append((mine, known))
            mine.update_options({key: value for key, value in group.items() if key in known})
    except Exception:
        for mine, options in done:
            mine.update_options(options)
        raise
    for mine, group in zip(optimizer.param_groups, groups):
        known = mine.options()
        mine.update({key: value for key, value in group.items() if key != "params" and key not in known})


def _outside_recording(op: str) -> None:
    if _core.recording():
        raise problem(
            GraphError, op, "a call outside compiled functions, before or after the step", "a call inside one"
        )
