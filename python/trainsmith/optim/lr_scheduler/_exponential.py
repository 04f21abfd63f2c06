"""Decay at every step."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class ExponentialLR(LRScheduler):
    """Multiplies the rate by a factor at every step.

    lr(t) = lr₀ gammaᵗ.

    Args:
        optimizer: whose rates are set.
        gamma: the factor, at least 0.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float,
        last_epoch: int = -1,
    ) -> None:
        if not gamma >= 0:
            raise problem(ArgumentError, "ExponentialLR", "gamma of at least 0", repr(gamma))
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.exponential(self.gamma).rate(base, step)
