"""Where a run is, and the best it has seen."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import trainsmith as ts


@dataclass(slots=True, kw_only=True)
class Progress:
    """Where a run is.

    Args:
        epoch: finished epochs.
        step: steps done, over all epochs.
        batch: steps done in the current epoch.
        rate: the learning rate at the start of the current epoch.
        seconds: time spent, over all sittings.
        epoch_seconds: of them, in the current epoch.
        ended: why the run is over; empty while it is not.

    Example:
        >>> Progress(step=3).epoch
        0
    """

    epoch: int = 0
    step: int = 0
    batch: int = 0
    rate: float = math.nan
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    ended: str = ""

    def state_dict(self) -> dict[str, Any]:
        """Returns the fields."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        for name in asdict(self):
            setattr(self, name, state[name])


@dataclass(slots=True, kw_only=True)
class Best:
    """The best epoch so far.

    Args:
        loss: its loss; infinite before the first.
        epoch: counted from 1; 0 before the first.
        weights: a snapshot; None where it is not kept.

    Example:
        >>> Best().epoch
        0
    """

    loss: float = math.inf
    epoch: int = 0
    weights: dict[str, ts.Tensor] | None = field(default=None, repr=False)

    def state_dict(self) -> dict[str, Any]:
        """Returns the fields."""
        return {"loss": self.loss, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        self.loss, self.epoch, self.weights = state["loss"], state["epoch"], state["weights"]
