"""Cosine annealing."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class CosineAnnealingLR(LRScheduler):
    """Lowers the rate along half a cosine; after `T_max` steps it rises again.

    lr(t) = eta_min + (lr₀ - eta_min) (1 + cos(π t / T_max)) / 2.

    Args:
        optimizer: whose rates are set.
        T_max: steps from the first rate to the lowest, above 0.
        eta_min: the lowest rate.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: a `T_max` that is not above 0.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.0]

    Source: Loshchilov and Hutter 2017, equation 5, without restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: float, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if not T_max > 0:
            raise problem(ArgumentError, "CosineAnnealingLR", "T_max above 0", repr(T_max))
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.cosine(self.T_max, self.eta_min).rate(base, step)
