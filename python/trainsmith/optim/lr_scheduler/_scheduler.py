"""What all learning-rate schedulers share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from trainsmith import _core
from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer


class LRScheduler(ABC):
    """The base of schedulers: the rate of each group as a function of the number of steps.

    The rate of a step depends on that number and on the group's first rate, `initial_lr`, alone. What else changes a
    group's `lr` is overwritten by the next step; use `SequentialLR` to combine schedulers.

    Args:
        optimizer: whose rates are set, now to that of step `last_epoch` + 1.
        last_epoch: steps done before, -1 for none; otherwise each group must have an `initial_lr`, as after
            `optimizer.load_state_dict`.

    Attributes:
        optimizer: whose rates are set.
        base_lrs: the first rate of each group.
        last_epoch: the step that the rates are for now.

    Raises:
        ArgumentError: a group without `initial_lr` where steps were done before.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                rule = "initial_lr in each group where last_epoch is given; load the optimizer's state first"
                raise problem(ArgumentError, type(self).__name__, rule, f"none in group {place}")
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._last_lr: list[float] = []
        self._set_rates()

    @abstractmethod
    def schedule(self) -> Schedule:
        """Gives the rate as a function of first rate and step."""

    def get_last_lr(self) -> list[float]:
        """Gives the rate of each group that was set last."""
        return list(self._last_lr)

    def step(self) -> None:
        """Goes to the next step. Inside a compiled function this happens at every call of it, after the optimizer's."""
        if not _core.recording():
            self._advance()
            return
        undo: list[tuple[int, list[float], list[float]]] = []

        def advance() -> None:
            undo[:] = [(self.last_epoch, self._last_lr, [group["lr"] for group in self.optimizer.param_groups])]
            self._advance()

        def rollback() -> None:
            self.last_epoch, self._last_lr, rates = undo.pop()
            for group, rate in zip(self.optimizer.param_groups, rates):
                group["lr"] = rate

        _core.record_event(advance, rollback)

    def _advance(self) -> None:
        self.last_epoch += 1
        self._set_rates()

    def _set_rates(self) -> None:
        schedule = self.schedule()
        self._last_lr = [schedule.rate(base, self.last_epoch) for base in self.base_lrs]
        for group, rate in zip(self.optimizer.param_groups, self._last_lr):
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Gives options and counters.

        Returns:
            Numbers and lists by attribute name, without the optimizer.
        """
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

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
        unknown = sorted(name for name in set(state_dict) - set(mine) if not name.startswith("_") and name != "verbose")
        groups = len(self.optimizer.param_groups)
        if missing or unknown or len(state_dict["base_lrs"]) != groups:
            got = f"missing {missing}, unknown {unknown}" if missing or unknown else str(state_dict["base_lrs"])
            raise problem(
                ArgumentError, op, f"the names {sorted(mine)} and one base rate for each of {groups} groups", got
            )
        for name in mine:
            setattr(self, name, list(state_dict[name]) if name in ("base_lrs", "_last_lr") else state_dict[name])
        for group, rate in zip(self.optimizer.param_groups, self._last_lr):
            group["lr"] = rate
