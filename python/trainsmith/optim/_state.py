"""The state of an optimizer in torch's format."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Parameter, Tensor, to_device
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError

if TYPE_CHECKING:
    from trainsmith.optim._optimizer import Optimizer


class _Loaded(NamedTuple):
    """State of one parameter, checked."""

    param: Parameter
    step: int
    cells: dict[str, Tensor]


def read_state(optimizer: "Optimizer") -> dict[str, Any]:
    """Takes a snapshot of all state between the same two steps; parameters are numbered through all groups."""
    _outside_recording("state_dict")
    params = optimizer.parameters()
    held = [optimizer.core.param_state(param) for param in params]
    named = [(place, name, cell) for place, one in enumerate(held) for name, cell in one.cells().items()]
    values = _core.read_together([cell for _, _, cell in named])
    state: dict[int, dict[str, Any]] = {place: {"step": one.step} for place, one in enumerate(held) if one.step}
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
        wanted = optimizer.state_names({**mine.options(), **group})
        for param in mine["params"]:
            entry = _entry(state_dict["state"], numbers[place])
            if entry is not None:
                loaded.append(_checked(place, param, entry, wanted, problems))
            place += 1
    if problems:
        rule = f"state that fits the parameters of {type(optimizer).__name__}, and loaded nothing"
        raise problem(ArgumentError, op, rule, "".join(f"\n  {one}" for one in problems))
    _write_groups(optimizer, groups)
    optimizer.core.clear_state()
    for one in loaded:
        target = optimizer.core.param_state(one.param)
        target.step = one.step
        for name, value in one.cells.items():
            target.load(name, one.param, to_device(value, one.param.device))


def _entry(state: Mapping[Any, Any], number: Any) -> Mapping[str, Any] | None:
    """Finds the state of a parameter; keys that went through JSON are text."""
    found = state.get(number, state.get(str(number)))
    return cast(Mapping[str, Any] | None, found)


def _checked(
    place: int, param: Parameter, entry: Mapping[str, Any], wanted: Sequence[str], problems: list[str]
) -> _Loaded:
    given = {name: value for name, value in entry.items() if name != "step" and value is not None}
    # A state without a count was saved after a step: it exists only from then on.
    step = int(entry.get("step", 1 if given else 0))
    cells: dict[str, Tensor] = {}
    where = f"parameter {place} ({param.name_})"
    problems += [f"{where}: missing {name}" for name in wanted if step and name not in given]
    for name, value in given.items():
        cells[name] = asarray(value)
        if name not in wanted:
            problems.append(f"{where}: unexpected {name}")
        elif cells[name].shape != param.shape:
            problems.append(f"{where}: {name} of shape {cells[name].shape} for {param.shape}")
        elif not cells[name].dtype.is_floating:
            problems.append(f"{where}: {name} of dtype {cells[name].dtype}")
    return _Loaded(param, step, cells)


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
