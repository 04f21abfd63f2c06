"""A bar that moves and a line per epoch."""

import time
from contextlib import ExitStack

from trainsmith._core import Tensor
from trainsmith.callbacks._display import Display, make_display
from trainsmith.callbacks._epochs import EpochLines
from trainsmith.training import EpochRecord, TrainingResult
from trainsmith.training.loop import Callback, TrainingLoop

_PERIOD_SECONDS = 0.1


class ProgressBar(Callback):
    """Shows a bar while a run goes on and prints a line per epoch, in which the best values so far bear a star.

    The bar is rich's where rich is installed and the output is a terminal, a notebook's in a notebook, and plain
    otherwise; it is redrawn at most ten times a second. Without a terminal there are only lines.

    Args:
        display: what shows them; chosen as above by default.
        lines: whether to print the lines.

    Example:
        >>> import sys
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.callbacks import ProgressBar
        >>> from trainsmith.training import Arrays, WorkflowConfig, fit
        >>> x = np.zeros((8, 1), dtype="float32")
        >>> bar = ProgressBar()
        >>> result = fit(nn.Linear(1, 1), Arrays(x=x, y=x), config=WorkflowConfig(num_epochs=1), callbacks=[bar])
             epoch  learning_rate  training_loss
                 1         0.0010...
    """

    def __init__(self, display: Display | None = None, *, lines: bool = True) -> None:
        self._given = display
        self._lines = lines
        self._open = ExitStack()
        self._last = 0.0

    def on_fit_start(self, loop: TrainingLoop) -> None:
        """Starts the display."""
        self._display = self._open.enter_context(self._given or make_display())
        self._table = EpochLines(loop.history)

    def on_step_end(self, loop: TrainingLoop, loss: Tensor | float) -> None:
        """Moves the bar, where it is time to."""
        now = time.perf_counter()
        if now - self._last >= _PERIOD_SECONDS:
            self._last = now
            self._display.progress(*_place(loop))

    def on_epoch_end(self, loop: TrainingLoop, record: EpochRecord) -> None:
        """Prints the line of the epoch."""
        if self._lines:
            for line in self._table.lines(record):
                self._display.line(line)

    def on_fit_end(self, loop: TrainingLoop, result: TrainingResult) -> None:
        """Removes the bar."""
        self._open.close()

    def on_exception(self, loop: TrainingLoop, error: BaseException) -> None:
        """Removes the bar."""
        self._open.close()


def _place(loop: TrainingLoop) -> tuple[str, float]:
    progress, epochs = loop.progress, loop.config.max_epochs
    within = progress.batch / loop.batches if loop.batches else 0.0
    label = f"epoch {progress.epoch + 1}/{epochs}"
    return label if loop.batches else f"{label} step {progress.batch}", min(1.0, (progress.epoch + within) / epochs)
