"""Scalars for TensorBoard, without TensorBoard."""

import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError
from trainsmith.loggers._events import record, scalars_event, version_event, whole_records
from trainsmith.training import EpochRecord
from trainsmith.training.loop import Callback, TrainingLoop

_NAME = "events.out.tfevents.0000000000.trainsmith"
_TITLES = {"training_loss": "loss/training", "validation_loss": "loss/validation", "learning_rate": "learning_rate"}


class TensorBoardLogger(Callback):
    """Appends scalars to an event file that TensorBoard reads.

    Each epoch gives `loss/training`, `loss/validation`, `learning_rate` and each metric as `validation/<name>`, at the
    step that ends it. When a run goes on from a checkpoint, what was written after the checkpoint is cut off.

    Args:
        folder: where the file goes; start `tensorboard --logdir` on it or on a folder above.
        every_steps: also write the loss of every so many steps as `loss/step`; 0 for none. It is read back then.

    Raises:
        IoError: in a run, a file that cannot be written.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.training import Arrays, WorkflowConfig, fit
        >>> x = np.ones((8, 1), dtype="float32")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     logger = TensorBoardLogger(folder)
        ...     _ = fit(nn.Linear(1, 1), Arrays(x=x, y=x), config=WorkflowConfig(num_epochs=2), callbacks=[logger])
        ...     b"loss/training" in logger.path.read_bytes()
        True
    """

    def __init__(self, folder: str | PathLike[str], *, every_steps: int = 0) -> None:
        self.path = Path(folder) / _NAME
        self._every = every_steps
        self._size = 0

    def on_fit_start(self, loop: TrainingLoop) -> None:
        """Begins the file, or cuts off what was written after the checkpoint."""
        content = self.path.read_bytes() if self._size and self.path.is_file() else b""
        whole = [end for end, _ in whole_records(content) if end <= self._size]
        self._write(record(version_event(time.time())) if not whole else b"", at=whole[-1] if whole else 0)

    def on_step_end(self, loop: TrainingLoop, loss: Tensor | float) -> None:
        """Writes the loss of a step that is due."""
        if self._every and loop.progress.step % self._every == 0:
            self._scalars(loop.progress.step, {"loss/step": float(loss)})

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Writes the numbers of the epoch."""
        entries = record.to_dict()
        scalars = {title: entries[name] for name, title in _TITLES.items()}
        scalars |= {f"validation/{name}": value for name, value in record.validation_metrics.items()}
        self._scalars(loop.progress.step, {name: float(one) for name, one in scalars.items() if one is not None})

    def state_dict(self) -> dict[str, Any]:
        """Returns the length of the file."""
        return {"size": self._size}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        self._size = state["size"]

    def _scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        self._write(record(scalars_event(time.time(), step, scalars)), at=self._size)

    def _write(self, data: bytes, at: int) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("r+b" if self.path.exists() else "w+b") as file:
                file.truncate(at)
                file.seek(at)
                file.write(data)
        except OSError as error:
            raise worded(
                IoError,
                "log",
                f"file {shown(str(self.path))} must be writable",
                expected="a place with room to write",
                got=error.strerror or type(error).__name__,
                step="free some space, or choose another folder",
            ) from error
        self._size = at + len(data)
