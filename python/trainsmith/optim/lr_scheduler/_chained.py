"""Schedulers on top of each other."""

from collections.abc import Mapping, Sequence
from typing import Any, final

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class ChainedScheduler(LRScheduler):
    """Applies several schedulers at once: each starts from the rate that those before it give for the same step.

    lr(t) = fₙ(... f₁(lr₀, t) ..., t): factors multiply. The schedulers give only their rates: step this one, not them.

    Args:
        schedulers: in order, all of the same optimizer.
        optimizer: whose rates are set; by default that of the schedulers.

    Raises:
        ArgumentError: no scheduler, or one of another optimizer.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> constant = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=4)
        >>> decay = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> scheduler = optim.lr_scheduler.ChainedScheduler([constant, decay])
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise problem(ArgumentError, "ChainedScheduler", "at least one scheduler", "none")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        if any(one.optimizer is not optimizer for one in schedulers):
            got = f"{len(schedulers)} schedulers, some of another optimizer"
            raise problem(ArgumentError, "ChainedScheduler", "schedulers all of this optimizer", got)
        self._schedulers = list(schedulers)
        super().__init__(optimizer, -1)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group after all schedulers."""
        for one in self._schedulers:
            base = one.rate(group, base, step)
        return base

    def state_dict(self) -> dict[str, Any]:
        """Gives counters, with the state of the schedulers.

        Returns:
            Numbers, lists and mappings by attribute name, without the optimizer.
        """
        return {**super().state_dict(), "_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts counters and the rates of the groups back.

        Args:
            state_dict: what `state_dict` gave.

        Raises:
            ArgumentError: names that are missing or of another scheduler, or another number of groups or schedulers.
        """
        mine = self._schedulers
        parts: Sequence[Mapping[str, Any]] = state_dict.get("_schedulers", ())
        if len(parts) != len(mine):
            rule = f"the state of {len(mine)} schedulers"
            raise problem(ArgumentError, "ChainedScheduler.load_state_dict", rule, f"that of {len(parts)}")
        for one, part in zip(mine, parts):
            one.load_state_dict(part)
        super().load_state_dict({**state_dict, "_schedulers": mine})
