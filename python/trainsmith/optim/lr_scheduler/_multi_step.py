"""Decay at given steps."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class MultiStepLR(LRScheduler):
    """Multiplies the rate by a factor at given steps.

    lr(t) = lr₀ gamma^k, k the number of milestones up to t.

    Args:
        optimizer: whose rates are set.
        milestones: the steps, growing; one that comes twice counts twice.
        gamma: the factor.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        if any(milestone < 0 for milestone in milestones) or list(milestones) != sorted(milestones):
            raise problem(ArgumentError, "MultiStepLR", "growing milestones of at least 0", str(list(milestones)))
        self.milestones = [int(milestone) for milestone in milestones]
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.multi_step(self.milestones, self.gamma).rate(base, step)
