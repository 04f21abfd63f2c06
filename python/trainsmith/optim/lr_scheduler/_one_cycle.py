"""One cycle of the rate."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._per_group import per_group, require_momentum
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class OneCycleLR(LRScheduler):
    """Raises the rate to its highest and lowers it to almost nothing, and moves momentum the other way.

    From max_lr / div_factor to max_lr in the first `pct_start` of the steps, then to max_lr / div_factor /
    final_div_factor; with three phases back to max_lr / div_factor in as many steps as up, and on from there. The
    group's first rate does not matter.

    Args:
        optimizer: whose rates are set.
        max_lr: highest rate, above 0, or one for each group.
        total_steps: steps of the cycle, or None where `epochs` and `steps_per_epoch` give them.
        epochs: epochs of the cycle.
        steps_per_epoch: steps in each.
        pct_start: part of the steps that lead to the highest rate, in [0, 1].
        anneal_strategy: "cos" or "linear": the shape of each phase.
        cycle_momentum: whether to move `momentum`, or the first of `betas`.
        base_momentum: momentum at the highest rate, or one for each group.
        max_momentum: momentum at the start and the end, or one for each group.
        div_factor: the highest rate over the first, above 0.
        final_div_factor: the first rate over the last, above 0.
        three_phase: whether the way down has two phases.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain, an optimizer without momentum where that shall move, or a step
            beyond the cycle.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, div_factor=5.0)
        >>> scheduler.step()
        >>> [round(rate, 3) for rate in scheduler.get_last_lr()]
        [0.6]

    Source: Smith and Topin 2019, "Super-convergence"; two phases by default as in fastai.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        op = "OneCycleLR"
        steps = total_steps if total_steps is not None else (epochs or 0) * (steps_per_epoch or 0)
        if not (steps > 0 and steps == int(steps)):
            rule = "total_steps, or epochs and steps_per_epoch, whole and above 0"
            raise problem(ArgumentError, op, rule, f"{total_steps}, {epochs}, {steps_per_epoch}")
        if not (0 <= pct_start <= 1 and div_factor > 0 and final_div_factor > 0):
            rule = "pct_start in [0, 1], div_factor and final_div_factor above 0"
            raise problem(ArgumentError, op, rule, f"{pct_start}, {div_factor}, {final_div_factor}")
        if anneal_strategy not in ("cos", "linear"):
            raise problem(ArgumentError, op, "anneal_strategy to be 'cos' or 'linear'", repr(anneal_strategy))
        if cycle_momentum:
            require_momentum(op, optimizer)
        self.max_lr = per_group(op, "max_lr", optimizer, max_lr)
        self.total_steps = int(steps)
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.base_momentum = per_group(op, "base_momentum", optimizer, base_momentum)
        self.max_momentum = per_group(op, "max_momentum", optimizer, max_momentum)
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.three_phase = three_phase
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self.max_lr):
                group["initial_lr"] = rate / div_factor
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group, between its bounds whatever its first rate.

        Raises:
            ArgumentError: a step beyond the cycle.
        """
        if step > self.total_steps:
            rule = f"at most {self.total_steps} steps, as total_steps says"
            raise problem(ArgumentError, "OneCycleLR.step", rule, f"step {step}")
        first = self.max_lr[group] / self.div_factor
        return self._along(first, self.max_lr[group], first / self.final_div_factor, step)

    def _along(self, first: float, top: float, last: float, step: int) -> float:
        shape = Schedule.one_cycle(top, last, self.total_steps, self.pct_start, self.anneal_strategy, self.three_phase)
        return shape.rate(first, step)

    def _momenta(self, step: int) -> list[float]:
        ends = zip(self.max_momentum, self.base_momentum) if self.cycle_momentum else ()
        return [self._along(high, low, high, step) for high, low in ends]
