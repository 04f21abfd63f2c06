"""Factors that a function gives."""

from collections.abc import Callable, Sequence
from typing import ClassVar, final

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler

Factor = Callable[[int], float]


def functions_of(op: str, optimizer: Optimizer, given: Factor | Sequence[Factor]) -> list[Factor]:
    """Gives one function per group.

    Raises:
        ArgumentError: another number of functions than groups.
    """
    groups = len(optimizer.param_groups)
    if callable(given):
        return [given] * groups
    if len(given) != groups:
        raise problem(ArgumentError, op, f"one function, or one for each of {groups} groups", str(len(given)))
    return list(given)


@final
class LambdaLR(LRScheduler):
    """Multiplies the first rate by what a function gives for the step.

    lr(t) = lr₀ f(t).

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or one for each group; from the number of the step to a factor.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: another number of functions than groups.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    _unsaved: ClassVar[tuple[str, ...]] = ("optimizer", "_lambdas")

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self._lambdas = functions_of("LambdaLR", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return base * float(self._lambdas[group](step))
