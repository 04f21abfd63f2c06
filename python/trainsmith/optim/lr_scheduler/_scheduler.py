"""What all learning-rate schedulers share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from trainsmith import _core
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._per_group import set_momenta


class LRScheduler(ABC):
    """The base of schedulers: the rate of each group as a function of the number of steps.

    The rate of a step depends on that number and on the group's first rate, `initial_lr`, alone. What else changes a
    group's `lr` is overwritten by the next step; use `SequentialLR` to combine schedulers.

    Args:
        optimizer: whose rates are set, now to that of step `last_epoch` + 1.
        last_epoch: steps done before, -1 for none; otherwise each group must have an `initial_lr`, as after
            `optimizer.load_state_dict`.
        base_lrs: first rates that a scheduler has of its own; by default each group's `initial_lr`.

    Attributes:
        optimizer: whose rates are set.
        base_lrs: the first rate of each group.
        last_epoch: the step that the rates are for now.

    Raises:
        ArgumentError: a group without `initial_lr` where steps were done before.
    """

    # Attributes that are no part of the state: they are given anew on construction.
    _unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, base_lrs: Sequence[float] | None = None) -> None:
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                rule = "initial_lr in each group where last_epoch is given; load the optimizer's state first"
                raise problem(ArgumentError, type(self).__name__, rule, f"none in group {place}")
        first = [group["initial_lr"] for group in optimizer.param_groups] if base_lrs is None else base_lrs
        self.base_lrs: list[float] = list(first)
        self.last_epoch = last_epoch + 1
        self._last_lr: list[float] = []
        self._set_rates()

    @abstractmethod
    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group.

        Args:
            group: number of the group.
            base: its first rate, or what schedulers chained before this one have made of that.
            step: 0 for the first.

        Returns:
            The rate.
        """

    def get_last_lr(self) -> list[float]:
        """Gives the rate of each group that was set last."""
        return list(self._last_lr)

    def step(self) -> None:
        """Goes to the next step. Inside a compiled function this happens at every call of it, after the optimizer's."""
        if not _core.recording():
            self._advance()
            return
        undo: list[tuple[int, list[float], list[dict[str, float]]]] = []

        def advance() -> None:
            undo[:] = [(self.last_epoch, self._last_lr, [group.numbers() for group in self.optimizer.param_groups])]
            self._advance()

        def rollback() -> None:
            self.last_epoch, self._last_lr, groups = undo.pop()
            for group, numbers in zip(self.optimizer.param_groups, groups):
                group.set_numbers(numbers)

        _core.record_event(advance, rollback)

    def _advance(self) -> None:
        rates = self._rates(self.last_epoch + 1)
        self.last_epoch += 1
        self._write(rates)

    def _set_rates(self) -> None:
        self._write(self._rates(self.last_epoch))

    def _rates(self, step: int) -> list[float]:
        return [self.rate(place, base, step) for place, base in enumerate(self.base_lrs)]

    def _write(self, rates: list[float]) -> None:
        self._last_lr = rates
        for group, rate in zip(self.optimizer.param_groups, rates):
            group.set_numbers({"lr": rate})
        set_momenta(self.optimizer, self._momenta(self.last_epoch))

    def _momenta(self, step: int) -> list[float]:
        """Gives the momentum of each group; none where the scheduler leaves that alone."""
        del step
        return []

    def state_dict(self) -> dict[str, Any]:
        """Gives options and counters.

        Returns:
            Numbers and lists by attribute name, without the optimizer and functions.
        """
        return {name: value for name, value in self.__dict__.items() if name not in self._unsaved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts options, counters and the rates of the groups back.

        Args:
            state_dict: what `state_dict` gave, of this or of torch's scheduler.

        Raises:
            ArgumentError: names that are missing or of another scheduler, or another number of groups.
        """
        op = f"{type(self).__name__}.load_state_dict"
        mine = self.state_dict()
        missing = sorted(set(mine) - set(state_dict))
        passed = ("verbose", "lr_lambdas")
        unknown = sorted(name for name in set(state_dict) - set(mine) if name[0] != "_" and name not in passed)
        groups = len(self.optimizer.param_groups)
        if missing or unknown or len(state_dict["base_lrs"]) != groups:
            got = f"missing {missing}, unknown {unknown}" if missing or unknown else str(state_dict["base_lrs"])
            raise problem(
                ArgumentError, op, f"the names {sorted(mine)} and one base rate for each of {groups} groups", got
            )
        for name in mine:
            setattr(self, name, list(state_dict[name]) if name in ("base_lrs", "_last_lr") else state_dict[name])
        self._write(self._last_lr)
