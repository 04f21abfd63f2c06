"""A group of parameters as a mapping of its options."""

import difflib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from trainsmith import _core
from trainsmith._core import Parameter
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._option_names import joined, number, split


class ParamGroup(MutableMapping[str, Any]):
    """The options of some parameters, under torch's names; setting one takes effect with the next step.

    Besides `params` and the options of the optimizer it keeps what users add, such as `initial_lr`.

    Args:
        optimizer: name of the optimizer, for messages.
        group: the group in the core.
        params: its parameters.

    Raises:
        ArgumentError: on setting: a value outside its domain, or a name that looks like a misspelt option.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.AdamW(nn.Linear(2, 1).parameters())
        >>> group = optimizer.param_groups[0]
        >>> group["lr"] = 0.5
        >>> group["lr"], group["betas"]
        (0.5, (0.9, 0.999))
    """

    def __init__(self, optimizer: str, group: _core.Group, params: list[Parameter]) -> None:
        self._optimizer = optimizer
        self._group = group
        self._params = params
        self._extra: dict[str, Any] = {}

    @property
    def version(self) -> int:
        """Changes whenever a captured step would have to be recorded again."""
        return self._group.version

    def options(self) -> dict[str, Any]:
        """Gives the options of the optimizer, the learning rate first."""
        return joined({**self._group.numbers(), **self._group.flags()})

    def numbers(self) -> dict[str, float]:
        """Gives the numbers among the options, as the core holds them."""
        return self._group.numbers()

    def set_numbers(self, numbers: Mapping[str, float]) -> None:
        """Sets numbers by the core's names. Schedulers do so at every step, so it costs little."""
        for name, value in numbers.items():
            self._group.set_number(name, number(self._optimizer, name, name, value))

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return self._params
        options = self.options()
        return options[key] if key in options else self._extra[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "params":
            raise problem(ArgumentError, self._optimizer, "params to stay; use add_param_group", "new params")
        if key in self.options():
            self.update_options({key: value})
        else:
            refuse_misspelt(self._optimizer, key, list(self.options()))
            self._extra[key] = value

    def __delitem__(self, key: str) -> None:
        if key == "params" or key in self.options():
            raise problem(ArgumentError, self._optimizer, f"{key!r} to stay; set it instead", "its deletion")
        del self._extra[key]

    def __iter__(self) -> Iterator[str]:
        yield "params"
        yield from self.options()
        yield from self._extra

    def __len__(self) -> int:
        return 1 + len(self.options()) + len(self._extra)

    def __repr__(self) -> str:
        shown = ", ".join(f"{key!r}: {self[key]!r}" for key in self if key != "params")
        return f"{{'params': [{len(self._params)} parameters], {shown}}}"

    def update_options(self, options: Mapping[str, Any]) -> None:
        """Sets several options, all of them or, after an error, none.

        Args:
            options: by name; each is an option of the optimizer.

        Raises:
            ArgumentError: a value outside its domain.
        """
        numbers, flags = split(self._optimizer, options, self._group.numbers(), self._group.flags())
        before = self._group.numbers(), self._group.flags()
        try:
            self._write(numbers, flags)
        except Exception:
            self._write(*before)
            raise

    def _write(self, numbers: Mapping[str, float], flags: Mapping[str, bool]) -> None:
        # A flag may ask something of the numbers, so flags go down before them and up after them.
        for name in (name for name, flag in flags.items() if not flag):
            self._group.set_flag(name, False)
        for name, value in numbers.items():
            self._group.set_number(name, value)
        for name in (name for name, flag in flags.items() if flag):
            self._group.set_flag(name, True)


def refuse_misspelt(optimizer: str, name: str, known: list[str]) -> None:
    """Refuses a name that is not an option but close to one.

    Raises:
        ArgumentError: such a name.
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    if near and name not in known:
        raise problem(ArgumentError, optimizer, f"an option of {optimizer}; did you mean {near[0]!r}?", repr(name))
