"""A rate that goes up and down."""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._per_group import per_group, require_momentum
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler

_MODES = ("triangular", "triangular2", "exp_range")


@final
class CyclicLR(LRScheduler):
    """Moves the rate up and down between two bounds, and momentum the other way.

    lr(t) = base_lr + (max_lr - base_lr) h s; h goes from 0 to 1 in `step_size_up` steps and back in `step_size_down`;
    s = 1 for "triangular", 2^-c for "triangular2" with c the cycles done, gammaᵗ for "exp_range".
    momentum(t) = max_momentum - (max_momentum - base_momentum) h s.

    Args:
        optimizer: whose rates are set.
        base_lr: lower bound, or one for each group.
        max_lr: upper bound, or one for each group.
        step_size_up: steps from the lower bound to the upper, above 0.
        step_size_down: steps back, by default as many.
        mode: what becomes of the height; without effect where `scale_fn` is given.
        gamma: factor of "exp_range".
        scale_fn: gives s, from the number of the cycle, 1 for the first, or of the step.
        scale_mode: "cycle" or "iterations": what `scale_fn` is given.
        cycle_momentum: whether to move `momentum`, or the first of `betas`.
        base_momentum: lower bound of momentum, or one for each group.
        max_momentum: upper bound of momentum, or one for each group.
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain, or an optimizer without momentum where that shall move.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2, cycle_momentum=False)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]

    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.
    """

    _unsaved: ClassVar[tuple[str, ...]] = ("optimizer", "_scale_fn")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: float = 2000,
        step_size_down: float | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        op = "CyclicLR"
        down = step_size_up if step_size_down is None else step_size_down
        if not (step_size_up > 0 and down > 0):
            raise problem(ArgumentError, op, "step_size_up and step_size_down above 0", f"{step_size_up}, {down}")
        if mode not in _MODES and scale_fn is None:
            raise problem(ArgumentError, op, f"mode to be one of {_MODES}", repr(mode))
        if scale_mode not in ("cycle", "iterations"):
            raise problem(ArgumentError, op, "scale_mode to be 'cycle' or 'iterations'", repr(scale_mode))
        if cycle_momentum:
            require_momentum(op, optimizer)
        self.base_lr = per_group(op, "base_lr", optimizer, base_lr)
        self.max_lr = per_group(op, "max_lr", optimizer, max_lr)
        self.step_size_up = float(step_size_up)
        self.step_size_down = float(down)
        self.mode = mode
        self.gamma = gamma
        self._scale_fn = scale_fn
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        self.base_momentum = per_group(op, "base_momentum", optimizer, base_momentum)
        self.max_momentum = per_group(op, "max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self.base_lr):
                group["lr"] = rate
        super().__init__(optimizer, last_epoch, self.base_lr)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group, between its bounds whatever its first rate."""
        return self._between(self.base_lr[group], self.max_lr[group], step)

    def _between(self, start: float, top: float, step: int) -> float:
        up, down = self.step_size_up, self.step_size_down
        if self._scale_fn is None:
            gamma = self.gamma if self.mode == "exp_range" else None
            return Schedule.cyclic(top, up, down, self.mode == "triangular2", gamma).rate(start, step)
        height = Schedule.cyclic(1.0, up, down, False, None).rate(0.0, step)
        place = math.floor(1 + step / (up + down)) if self.scale_mode == "cycle" else step
        return start + (top - start) * height * self._scale_fn(place)

    def _momenta(self, step: int) -> list[float]:
        bounds = zip(self.max_momentum, self.base_momentum) if self.cycle_momentum else ()
        return [self._between(high, low, step) for high, low in bounds]
