"""A factor that moves in a straight line."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class LinearLR(LRScheduler):
    """Moves a factor of the rate in a straight line, for a warm-up or a decay.

    lr(t) = lr₀ (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters).

    Args:
        optimizer: whose rates are set.
        start_factor: the first factor, in (0, 1].
        end_factor: the factor from `total_iters` on, in [0, 1].
        total_iters: steps of the way, at least 0.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: a factor or number of steps outside its range.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not (0 < start_factor <= 1 and 0 <= end_factor <= 1 and total_iters >= 0):
            rule = "start_factor in (0, 1], end_factor in [0, 1], total_iters of at least 0"
            raise problem(ArgumentError, "LinearLR", rule, f"{start_factor}, {end_factor}, {total_iters}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.linear(self.start_factor, self.end_factor, self.total_iters).rate(base, step)
