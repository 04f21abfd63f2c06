"""Warm-up, plateau, decay."""

from typing import final

from trainsmith._core import Schedule
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler


@final
class WarmupStableDecayLR(LRScheduler):
    """Warms up, holds the rate, then lowers it; a run can be extended from its plateau.

    lr(t) = lr₀ min((t + 1) / warmup_steps, 1) for warmup_steps + stable_steps steps; then from lr₀ to
    lr₀ min_factor, which stays.

    Args:
        optimizer: whose rates are set.
        warmup_steps: steps until the full rate, at least 0.
        stable_steps: steps at the full rate, at least 0.
        decay_steps: steps down, at least 0.
        min_factor: factor at the end, at least 0.
        decay: shape of the way down, "linear" or "cos".
        last_epoch: steps done before, -1 for none.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.WarmupStableDecayLR(optimizer, warmup_steps=4, stable_steps=9, decay_steps=5)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]

    Source: Hu et al. 2024, "MiniCPM", section 4.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        stable_steps: int,
        decay_steps: int,
        min_factor: float = 0.0,
        decay: str = "linear",
        last_epoch: int = -1,
    ) -> None:
        if min(warmup_steps, stable_steps, decay_steps) < 0 or not min_factor >= 0:
            raise problem(
                ArgumentError,
                "WarmupStableDecayLR",
                "steps and min_factor of at least 0",
                f"{warmup_steps}, {stable_steps}, {decay_steps}, {min_factor}",
            )
        if decay not in ("linear", "cos"):
            raise problem(ArgumentError, "WarmupStableDecayLR", 'decay to be "linear" or "cos"', repr(decay))
        self.warmup_steps = warmup_steps
        self.stable_steps = stable_steps
        self.decay_steps = decay_steps
        self.min_factor = min_factor
        self.decay = decay
        super().__init__(optimizer, last_epoch)

    def rate(self, group: int, base: float, step: int) -> float:
        """Gives the rate of a group as a function of its first rate and the step."""
        return Schedule.warmup_stable_decay(
            self.warmup_steps, self.stable_steps, self.decay_steps, self.min_factor, self.decay
        ).rate(base, step)
