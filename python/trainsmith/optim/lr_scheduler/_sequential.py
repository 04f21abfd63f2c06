"""Schedulers one after the other."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, final

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class SequentialLR(LRScheduler):
    """Follows schedulers one after the other; each counts its steps from its own start.

    The schedulers give only their rates: step this one, not them.

    Args:
        optimizer: whose rates are set.
        schedulers: in order, all of the same optimizer.
        milestones: the step at which each but the first takes over, growing.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: no scheduler, one of another optimizer, or milestones that do not grow or are not one fewer.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> warmup = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> decay = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
        >>> optim.lr_scheduler.SequentialLR(optimizer, [warmup, decay], milestones=[2]).get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if not schedulers or any(one.optimizer is not optimizer for one in schedulers):
            got = f"{len(schedulers)} schedulers, some of another optimizer" if schedulers else "none"
            raise problem(ArgumentError, "SequentialLR", "at least one scheduler, all of this optimizer", got)
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        grows = all(one < two for one, two in pairwise(self._milestones))
        if len(self._milestones) != len(self._schedulers) - 1 or not grows:
            rule = f"growing milestones, one fewer than the {len(self._schedulers)} schedulers"
            raise problem(ArgumentError, "SequentialLR", rule, str(self._milestones))
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group under the scheduler whose turn it is."""
        part = bisect_right(self._milestones, step)
        start = self._milestones[part - 1] if part else 0
        scheduler = self._schedulers[part]
        own = scheduler.base_lrs[group]
        return scheduler.rate(group, base if own == self.base_lrs[group] else own, step - start)

    def state_dict(self) -> dict[str, Any]:
        """Gives options and counters, with those of the schedulers.

        Returns:
            Numbers, lists and mappings by attribute name, without the optimizer.
        """
        return {**super().state_dict(), "_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts options, counters and the rates of the groups back.

        Args:
            state_dict: what `state_dict` gave, of this or of torch's scheduler.

        Raises:
            ArgumentError: names that are missing or of another scheduler, or another number of groups or schedulers.
        """
        mine = self._schedulers
        parts: Sequence[Mapping[str, Any]] = state_dict.get("_schedulers", ())
        if len(parts) != len(mine):
            rule = f"the state of {len(mine)} schedulers"
            raise problem(ArgumentError, "SequentialLR.load_state_dict", rule, f"that of {len(parts)}")
        for one, part in zip(mine, parts):
            one.load_state_dict(part)
        super().load_state_dict({**state_dict, "_schedulers": mine})
