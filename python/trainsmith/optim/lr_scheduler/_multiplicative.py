"""Factors from step to step that a function gives."""

import math
from collections.abc import Sequence
from typing import ClassVar, final

from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._lambda import Factor, functions_of
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class MultiplicativeLR(LRScheduler):
    """Multiplies the rate at each step by what a function gives for the step.

    lr(t) = lr(t - 1) f(t).

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or one for each group; from the number of the step, from 1 on, to a factor. It is asked once
            for each.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: another number of functions than groups.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 0.5)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    _unsaved: ClassVar[tuple[str, ...]] = ("optimizer", "_lambdas", "_factors")

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self._lambdas = functions_of("MultiplicativeLR", optimizer, lr_lambda)
        self._factors: list[list[float]] = [[] for _ in self._lambdas]
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        known = self._factors[group]
        known.extend(float(self._lambdas[group](turn)) for turn in range(len(known) + 1, step + 1))
        return base * math.prod(known[:step])
