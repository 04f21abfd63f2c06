"""What may watch and steer a training run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainsmith._core import Tensor
from trainsmith.training._result import EpochRecord, TrainingResult, ValidationResult

if TYPE_CHECKING:
    from trainsmith.training.loop._loop import TrainingLoop


class Callback:
    """The base of callbacks: override the hooks that you need; the others cost nothing.

    Hooks are called in this order: `on_fit_start`; in every epoch `on_epoch_start`, `on_step_end` after each step,
    `on_validation_end` where there is a validation, `on_epoch_end`; then `on_fit_end`, or `on_exception`. Callbacks are
    called in the order in which they were given. `loop.stop("reason")` ends the run after the current step.

    A callback that remembers something gives it in `state_dict`; it becomes part of every checkpoint. A checkpoint is
    written after the hooks of its step or epoch.

    Example:
        >>> class Count(Callback):
        ...     def __init__(self):
        ...         self.steps = 0
        ...     def on_step_end(self, loop, loss):
        ...         self.steps += 1
        ...     def state_dict(self):
        ...         return {"steps": self.steps}
        ...     def load_state_dict(self, state):
        ...         self.steps = state["steps"]
    """

    def on_fit_start(self, loop: "TrainingLoop") -> None:
        """Called once, after a checkpoint was restored and before the first step.

        Args:
            loop: the run.
        """

    def on_epoch_start(self, loop: "TrainingLoop") -> None:
        """Called before the first step of an epoch; not again when a run goes on in the middle of one.

        Args:
            loop: the run; `loop.progress.epoch` epochs are done.
        """

    def on_step_end(self, loop: "TrainingLoop", loss: Tensor | float) -> None:
        """Called after each step.

        Args:
            loop: the run; `loop.progress.step` steps are done.
            loss: of the step. A tensor has not been read yet; reading it at every step costs time.
        """

    def on_validation_end(self, loop: "TrainingLoop", result: ValidationResult) -> None:
        """Called after each validation of an epoch.

        Args:
            loop: the run.
            result: loss and metrics.
        """

    def on_epoch_end(self, loop: "TrainingLoop", record: EpochRecord) -> None:
        """Called after each epoch and its validation.

        Args:
            loop: the run; `loop.history` ends with the record.
            record: the epoch.
        """

    def on_checkpoint(self, loop: "TrainingLoop", path: Path) -> None:
        """Called after a checkpoint was written.

        Args:
            loop: the run.
            path: its folder.
        """

    def on_fit_end(self, loop: "TrainingLoop", result: TrainingResult) -> None:
        """Called once, with the best weights in place.

        Args:
            loop: the run.
            result: the outcome.
        """

    def on_exception(self, loop: "TrainingLoop", error: BaseException) -> None:
        """Called once where the run ends with an error, which goes on to the caller.

        Args:
            loop: the run.
            error: the error.
        """

    def state_dict(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: plain values and tensors."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """


def overriding(callbacks: list[Callback], hook: str) -> list[Any]:
    """Returns the bound hooks of the callbacks that override it.

    Args:
        callbacks: in their order.
        hook: the name of the hook.

    Returns:
        Methods to call.

    Example:
        >>> overriding([Callback()], "on_step_end")
        []
    """
    base = getattr(Callback, hook)
    return [getattr(one, hook) for one in callbacks if getattr(type(one), hook) is not base]
