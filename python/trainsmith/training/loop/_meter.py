"""The mean loss of an epoch, read in blocks."""

import math
from collections.abc import Mapping
from typing import Any, SupportsFloat

from trainsmith._core import numbers


class LossMeter:
    """Sums rows times loss; a loss is read when a block is full or the mean is asked for, not at its step.

    Args:
        read_every: losses in a block, at least 1.

    Example:
        >>> meter = LossMeter(read_every=8)
        >>> _ = meter.add(3, 1.0), meter.add(1, 5.0)
        >>> meter.mean()
        2.0
    """

    def __init__(self, read_every: int) -> None:
        self._read_every = read_every
        self.reset()

    def reset(self) -> None:
        """Forgets every loss."""
        self._losses: list[SupportsFloat] = []
        self._amounts: list[SupportsFloat] = []
        self._total = 0.0
        self._rows = 0.0
        self.bad: float | None = None

    def add(self, rows: SupportsFloat, loss: SupportsFloat) -> bool:
        """Takes the loss of a step.

        Args:
            rows: rows of the batch, or the sum of their weights.
            loss: mean over them.

        Returns:
            Whether the losses were read now.
        """
        self._amounts.append(rows)
        self._losses.append(loss)
        if len(self._losses) < self._read_every:
            return False
        self.read()
        return True

    def read(self) -> None:
        """Reads the losses that are waiting; `bad` is the first that is not finite, which the mean leaves out."""
        for amount, loss in zip(numbers(self._amounts), numbers(self._losses), strict=True):
            if math.isfinite(loss):
                self._total += amount * loss
                self._rows += amount
            elif self.bad is None:
                self.bad = loss
        self._amounts.clear()
        self._losses.clear()

    def mean(self) -> float:
        """Returns the mean over the rows; NaN where there are none."""
        self.read()
        return self._total / self._rows if self._rows else math.nan

    def state_dict(self) -> dict[str, Any]:
        """Returns sum and rows."""
        self.read()
        return {"total": self._total, "rows": self._rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        self.reset()
        self._total, self._rows = state["total"], state["rows"]
