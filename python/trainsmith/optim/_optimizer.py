"""What all optimizers share: groups of parameters, gradients to clear, the step, the state."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from trainsmith import _core
from trainsmith._core import Parameter, Tensor
from trainsmith._guards import touch
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError
from trainsmith.nn._convert import was_replaced
from trainsmith.nn._parameter import clear_grad
from trainsmith.optim._option_names import joined, split
from trainsmith.optim._param_group import ParamGroup, refuse_misspelt
from trainsmith.optim._state import read_state, write_state

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]] | Iterable[tuple[str, Parameter]]
Result = TypeVar("Result")


class Optimizer:
    """The base of optimizers. The class's name is the name of its kind in the core.

    Args:
        params: parameters, pairs (name, parameter) as `named_parameters()` gives them, or mappings with `params` and
            options that differ from the defaults.
        defaults: options by name.

    Attributes:
        core: the optimizer in the core.
        param_groups: one mapping per group; see `ParamGroup`.

    Raises:
        ArgumentError: no parameter, something that is none, one that comes twice, or an option outside its domain.
    """

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.core = _core.Optimizer(type(self).__name__)
        self.defaults = dict(defaults)
        self.param_groups: list[ParamGroup] = []
        source: object = params
        given = [] if isinstance(source, Tensor | Mapping) else list(cast(Iterable[Any], source))
        if not given:
            rule = "at least one parameter in an iterable, such as model.parameters()"
            raise problem(ArgumentError, self._op, rule, type(cast(object, source)).__name__)
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _op(self) -> str:
        return type(self).__name__

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Adds parameters, with options of their own.

        Args:
            param_group: `params`, and options that differ from the defaults.

        Raises:
            ArgumentError: something that is no group or no parameter, a parameter that is there already, or an option
                outside its domain.

        Example:
            >>> from trainsmith import nn, optim
            >>> first, second = nn.Linear(2, 3), nn.Linear(3, 1)
            >>> optimizer = optim.SGD(first.parameters(), lr=0.1)
            >>> optimizer.add_param_group({"params": second.parameters(), "lr": 0.01})
            >>> [group["lr"] for group in optimizer.param_groups]
            [0.1, 0.01]
        """
        if not isinstance(param_group, Mapping) or "params" not in param_group:  # pyright: ignore[reportUnnecessaryIsInstance]
            got = type(param_group).__name__ if not isinstance(param_group, Mapping) else str(sorted(param_group))  # pyright: ignore[reportUnnecessaryIsInstance]
            raise problem(ArgumentError, self._op, 'a group: a mapping with "params"', got)
        params = self._parameters_of(param_group["params"])
        given = {key: value for key, value in param_group.items() if key != "params"}
        for key in given:
            refuse_misspelt(self._op, key, list(self.defaults))
        numbers, flags = self.core.defaults()
        known = joined({**numbers, **flags})
        options = {key: value for key, value in {**self.defaults, **given}.items() if key in known}
        group = ParamGroup(self._op, self.core.add_group(params, *split(self._op, options, numbers, flags)), params)
        group.update({key: value for key, value in given.items() if key not in known})
        self.param_groups.append(group)

    def _parameters_of(self, params: Any) -> list[Parameter]:
        items: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        found: list[Parameter] = []
        for place, item in enumerate(items):
            name, param = cast(tuple[Any, Any], item) if isinstance(item, tuple) else ("", item)
            if not isinstance(param, Parameter):
                rule = "nn.Parameter objects, such as model.parameters(); wrap a tensor in nn.Parameter"
                raise problem(ArgumentError, self._op, rule, f"{type(param).__name__} at place {place}")
            if name:
                param.name_ = str(name)
            found.append(param)
        if not found:
            raise problem(ArgumentError, self._op, "at least one parameter per group", "an empty one")
        return found

    def parameters(self) -> list[Parameter]:
        """Gives the parameters of all groups in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def _guard(self) -> tuple[int, ...]:
        """Gives what a captured step that used this optimizer depends on."""
        return tuple(group.version for group in self.param_groups)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters.

        Args:
            set_to_none: whether to drop them; otherwise those that exist become zeros.
        """
        if _core.recording():
            touch(self)
        for param in self.parameters():
            clear_grad(param, set_to_none)

    def step(self, closure: Callable[[], Result] | None = None, *, skip: Tensor | None = None) -> Result | None:
        """Changes each trained parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients first, and returns the loss.
            skip: bool, shape (); where it is true nothing changes, the count of steps included, and gradients may be
                infinite or NaN. Inside a compiled function it is looked at when the step runs.

        Returns:
            What the closure returns, else None.

        Raises:
            NonFiniteError: a gradient is infinite or NaN; then nothing changes.
            DTypeError: a `skip` that is no bool of shape ().
            GraphError: `Module.to` has replaced a parameter since.
        """
        if _core.recording():
            touch(self)
        loss = None if closure is None else closure()
        for param in self.parameters():
            if was_replaced(param):
                rule = "the parameters of the module; make the optimizer after Module.to"
                raise problem(GraphError, f"{self._op}.step", rule, f"{param.name_}, which Module.to has replaced")
        self.core.step(skip)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot of options and state, in torch's format.

        Returns:
            `state`: by number of the parameter, counted through all groups, its `step` and its state tensors.
            `param_groups`: the options of each group, and `params`, the numbers of its parameters.

        Raises:
            GraphError: inside a compiled function.

        Example:
            >>> from trainsmith import nn, optim
            >>> optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1).state_dict()["param_groups"][0]["params"]
            [0, 1]
        """
        return read_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts options and state back, parameter by parameter in order; all of it or, after an error, nothing.

        Args:
            state_dict: what `state_dict` gave, of this or of torch's optimizer; tensors or NumPy arrays, which are
                converted to the parameters' dtypes.

        Raises:
            ArgumentError: groups or tensors that do not fit; all problems are listed.
            GraphError: inside a compiled function.
        """
        write_state(self, state_dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Answers `pickle` and `copy`: copied together with its module, the copy changes the copied parameters."""
        return _rebuild, (type(self), self.defaults, [dict(group) for group in self.param_groups], self.state_dict())

    def __repr__(self) -> str:
        lines = [f"{self._op} ("]
        for place, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {place}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _rebuild(
    kind: type[Optimizer], defaults: dict[str, Any], groups: list[dict[str, Any]], state: dict[str, Any]
) -> Optimizer:
    optimizer = kind.__new__(kind)
    Optimizer.__init__(optimizer, groups, defaults)
    optimizer.load_state_dict(state)
    return optimizer
