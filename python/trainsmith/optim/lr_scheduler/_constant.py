"""A factor for the first steps."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class ConstantLR(LRScheduler):
    """Multiplies the rate by a factor for some steps.

    lr(t) = lr₀ factor for t < total_iters, then lr₀.

    Args:
        optimizer: whose rates are set.
        factor: the factor, in [0, 1].
        total_iters: steps with the factor, at least 0.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not (0 <= factor <= 1 and total_iters >= 0):
            raise problem(
                ArgumentError, "ConstantLR", "factor in [0, 1], total_iters of at least 0", f"{factor}, {total_iters}"
            )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.constant(self.factor, self.total_iters).rate(base, step)
