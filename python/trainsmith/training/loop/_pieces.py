"""The optional pieces of a run, each with its own rhythm: a schedule of the rate, an average of the weights."""

from dataclasses import dataclass
from typing import Any, Literal

import trainsmith as ts
from trainsmith import optim

Rhythm = Literal["step", "epoch", "inside"]
"""After each step, after each epoch, or inside the learner's own step, where the loop has nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """A scheduler and when it goes on.

    Args:
        scheduler: from `optim.lr_scheduler`; `ReduceLROnPlateau` takes the validation loss, or the training loss where
            there is none.
        per: `step` after each step, `epoch` after each epoch, `inside` where the learner's step does it.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
        >>> Scheduling(scheduler=optim.lr_scheduler.StepLR(optimizer, 10)).per
        'epoch'
    """

    scheduler: Any
    per: Rhythm = "epoch"

    def advance(self, loss: float | None = None) -> None:
        """Goes to the next step of the schedule.

        Args:
            loss: what `ReduceLROnPlateau` looks at.
        """
        if loss is not None and isinstance(self.scheduler, optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss)
        else:
            self.scheduler.step()


@dataclass(frozen=True, slots=True, kw_only=True)
class Averaging:
    """An average of the weights and when it is updated. Validation, best and final weights are those of the average.

    Args:
        average: `optim.EMA` or `optim.SWA` over the model's parameters.
        per: `step` after each step, usual for EMA; `epoch` after each epoch, usual for SWA; `inside` where the
            learner's step does it.
        start_epoch: epochs done before the first update; not for `inside`.

    Example:
        >>> from trainsmith import nn, optim
        >>> Averaging(average=optim.EMA(nn.Linear(1, 1).parameters())).per
        'step'
    """

    average: optim.EMA | optim.SWA
    per: Rhythm = "step"
    start_epoch: int = 0

    def updater(self) -> Any:
        """Returns a function that updates the average; it is captured, so a step costs one call."""
        return ts.compile(self.average.update)
