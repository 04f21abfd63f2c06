"""Cosine annealing with restarts."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class CosineAnnealingWarmRestarts(LRScheduler):
    """Lowers the rate along half a cosine, again and again.

    lr(t) = eta_min + (lr₀ - eta_min) (1 + cos(π s / T)) / 2, s the steps since the last restart, T the period, which
    is `T_mult` times as long after each restart.

    Args:
        optimizer: whose rates are set.
        T_0: steps of the first period, at least 1.
        T_mult: factor from period to period, at least 1.
        eta_min: the lowest rate, never quite reached.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]

    Source: Loshchilov and Hutter 2017, equation 5.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if not (T_0 >= 1 and T_mult >= 1 and float(T_0).is_integer() and float(T_mult).is_integer()):
            raise problem(
                ArgumentError, "CosineAnnealingWarmRestarts", "whole T_0 and T_mult of at least 1", f"{T_0}, {T_mult}"
            )
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.warm_restarts(self.T_0, self.T_mult, self.eta_min).rate(base, step)
