"""Follows the size of the gradients."""

from collections.abc import Mapping
from typing import Any

from trainsmith._core import Tensor
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError
from trainsmith.training import EpochRecord
from trainsmith.training.loop import Callback, TrainingLoop


class GradientNorms(Callback):
    """Keeps mean and largest Euclidean norm of all gradients for each epoch.

    The trainer must keep the norm: `DefaultTrainer(..., gradient_norm=True)`; workflows do with `gradient_norm=True`.

    Attributes:
        history: `epoch`, `mean` and `largest` of each finished epoch.

    Raises:
        ConfigError: in a run, a trainer that does not keep the norm.

    Example:
        >>> from trainsmith.callbacks import GradientNorms
        >>> GradientNorms().history
        []
    """

    def __init__(self) -> None:
        self.history: list[dict[str, float]] = []
        self._clear()

    def on_step_end(self, loop: TrainingLoop, loss: Tensor | float) -> None:
        """Takes the norm of the step; it is read in blocks."""
        norm = getattr(loop.learner, "last_gradient_norm", None)
        if norm is None:
            raise worded(
                ConfigError,
                "gradient_norms",
                "the trainer must keep the norm of the gradients",
                expected="last_gradient_norm after each step",
                got="none",
                step="pass gradient_norm=True to DefaultTrainer or to the workflow",
            )
        self._pending.append(norm)
        if len(self._pending) >= loop.config.read_every:
            self._read()

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Closes the epoch."""
        self._read()
        self.history.append({"epoch": record.epoch, "mean": self._total / self._steps, "largest": self._largest})
        self._clear()

    def state_dict(self) -> dict[str, Any]:
        """Returns the numbers so far."""
        self._read()
        return {"history": self.history, "total": self._total, "steps": self._steps, "largest": self._largest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        self._clear()
        self.history = list(state["history"])
        self._total, self._steps, self._largest = state["total"], state["steps"], state["largest"]

    def _clear(self) -> None:
        self._pending: list[Any] = []
        self._total, self._steps, self._largest = 0.0, 0, 0.0

    def _read(self) -> None:
        for norm in self._pending:
            value = float(norm)
            self._total += value
            self._steps += 1
            self._largest = max(self._largest, value)
        self._pending.clear()
