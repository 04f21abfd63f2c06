"""A warm-up."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class LinearWarmup(LRScheduler):
    """Raises the rate along a straight line to its full value, which then stays.

    lr(t) = lr₀ min((t + 1) / warmup_steps, 1).

    Args:
        optimizer: whose rates are set.
        warmup_steps: steps until the full rate; 0 starts with it.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.LinearWarmup(optimizer, warmup_steps=4)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]

    Source: Goyal et al. 2017, section 2.2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        last_epoch: int = -1,
    ) -> None:
        if warmup_steps < 0:
            raise problem(ArgumentError, "LinearWarmup", "warmup_steps of at least 0", repr(warmup_steps))
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.warmup(self.warmup_steps).rate(base, step)
