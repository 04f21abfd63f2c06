"""Decay in steps."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class StepLR(LRScheduler):
    """Multiplies the rate by a factor every few steps.

    lr(t) = lr₀ gamma^⌊t / step_size⌋.

    Args:
        optimizer: whose rates are set.
        step_size: steps between two decays, at least 1.
        gamma: the factor.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: a `step_size` below 1.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> scheduler.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if step_size < 1:
            raise problem(ArgumentError, "StepLR", "step_size of at least 1", repr(step_size))
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.step_decay(self.step_size, self.gamma).rate(base, step)
