"""Decay with the square root."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class InverseSqrtLR(LRScheduler):
    """Warms up, then lowers the rate with the square root of the step.

    lr(t) = lr₀ min((t + 1) / w, √(w / (t + 1))), w = warmup_steps.

    Args:
        optimizer: whose rates are set.
        warmup_steps: steps of the warm-up; 0 counts as 1.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.InverseSqrtLR(optimizer, warmup_steps=4)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]

    Source: Vaswani et al. 2017, equation 3, with lr₀ as the highest rate.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        last_epoch: int = -1,
    ) -> None:
        if warmup_steps < 0:
            raise problem(ArgumentError, "InverseSqrtLR", "warmup_steps of at least 0", repr(warmup_steps))
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.inverse_sqrt(self.warmup_steps).rate(base, step)
