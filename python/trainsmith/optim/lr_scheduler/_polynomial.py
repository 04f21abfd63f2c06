"""Decay along a power."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class PolynomialLR(LRScheduler):
    """Lowers the rate to 0 along a power of the steps left.

    lr(t) = lr₀ (1 - min(t, T) / T)^power, T = total_iters.

    Args:
        optimizer: whose rates are set.
        total_iters: steps until 0, at least 0.
        power: the exponent; 1 is a straight line.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        if total_iters < 0:
            raise problem(ArgumentError, "PolynomialLR", "total_iters of at least 0", repr(total_iters))
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.polynomial(self.total_iters, self.power).rate(base, step)
