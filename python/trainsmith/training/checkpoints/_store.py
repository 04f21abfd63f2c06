"""The checkpoints of one run: when to write, which to keep, where to continue."""

import math
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainsmith.errors import IoError
from trainsmith.training.checkpoints._config import CheckpointConfig
from trainsmith.training.checkpoints._read import Checkpoint, CheckpointWarning, read_checkpoint, read_manifest
from trainsmith.training.checkpoints._write import write_checkpoint

_PREFIX = "step-"


class CheckpointStore:
    """Writes the checkpoints of one run and finds the one to continue from. One process at a time uses a folder.

    Args:
        config: folder, when to write and which to keep.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> store = CheckpointStore(CheckpointConfig(folder=folder.name, keep_last=1))
        >>> for step, loss in ((10, 0.5), (20, 0.3), (30, 0.4)):
        ...     _ = store.save({"step": step}, step=step, epoch=step // 10, metric=loss)
        >>> [path.name for path in store.paths()], store.latest().state["step"], store.best().state["step"]
        (['step-00000020', 'step-00000030'], 30, 20)
        >>> folder.cleanup()
    """

    def __init__(self, config: CheckpointConfig) -> None:
        self.config = config
        self.folder = Path(config.folder)
        self._metrics: dict[str, float | None] = {}
        self._tidy()

    def due_step(self, step: int) -> bool:
        """Says whether a checkpoint is written after a step.

        Args:
            step: steps done.
        """
        every = self.config.every_steps
        return every > 0 and step % every == 0

    def due_epoch(self, epoch: int, metric: float | None) -> bool:
        """Says whether a checkpoint is written after the validation of an epoch.

        Args:
            epoch: epochs done.
            metric: what the validation gave; None without one.
        """
        every = self.config.every_epochs
        return (every > 0 and epoch % every == 0) or self._is_top(metric)

    def save(self, state: Mapping[str, Any], *, step: int, epoch: int, metric: float | None = None) -> Path:
        """Writes a checkpoint, then removes those that need not stay.

        Args:
            state: what to write; see `write_checkpoint`.
            step: steps done; it names the folder.
            epoch: epochs done.
            metric: by which the best are chosen; None where no validation belongs to the step.

        Returns:
            The folder.

        Raises:
            IoError: it cannot be written; older checkpoints stay as they are.
        """
        path = self.folder / f"{_PREFIX}{step:08d}"
        known = metric if metric is not None and math.isfinite(metric) else None
        write_checkpoint(path, state, facts={"step": step, "epoch": epoch, "metric": known})
        self._metrics[path.name] = known
        self._prune()
        return path

    def paths(self) -> list[Path]:
        """Returns the folders, oldest first; damaged ones too."""
        if not self.folder.is_dir():
            return []
        found = {path: path.name.removeprefix(_PREFIX) for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir()}
        return sorted((path for path, step in found.items() if step.isdecimal()), key=lambda path: int(found[path]))

    def latest(self) -> Checkpoint | None:
        """Reads the newest checkpoint that is whole; each damaged one before it gives a `CheckpointWarning`."""
        return self._first_whole(self.paths()[::-1])

    def best(self) -> Checkpoint | None:
        """Reads the checkpoint with the best metric; None where none has one."""
        return self._first_whole(self._ranked())

    def _first_whole(self, paths: list[Path]) -> Checkpoint | None:
        for path in paths:
            try:
                return read_checkpoint(path)
            except IoError as error:
                warnings.warn(f"{error}; it is passed over", CheckpointWarning, stacklevel=3)
        return None

    def _metric(self, path: Path) -> float | None:
        if path.name not in self._metrics:
            try:
                self._metrics[path.name] = read_manifest(path).get("metric")
            except IoError:
                self._metrics[path.name] = None
        return self._metrics[path.name]

    def _ranked(self) -> list[Path]:
        """Orders the checkpoints that have a metric, best first; of equal ones the older comes first."""
        scored = [(metric, path) for path in self.paths() if (metric := self._metric(path)) is not None]
        sign = 1 if self.config.mode == "min" else -1
        # Of equal metrics the order stays: the older comes first.
        return [path for _, path in sorted(scored, key=lambda one: sign * one[0])]

    def _is_top(self, metric: float | None) -> bool:
        if metric is None or not math.isfinite(metric) or not self.config.top_k:
            return False
        top = [self._metrics[path.name] or 0.0 for path in self._ranked()[: self.config.top_k]]
        worst = top[-1] if len(top) == self.config.top_k else None
        return worst is None or (metric < worst if self.config.mode == "min" else metric > worst)

    def _prune(self) -> None:
        paths = self.paths()
        kept = {*paths[-self.config.keep_last :], *self._ranked()[: self.config.top_k]}
        for path in paths:
            if path not in kept:
                # Renamed first: a process that dies while it deletes leaves nothing that looks like a checkpoint.
                gone = path.with_name(f".{path.name}.gone-{os.getpid()}")
                path.rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
                self._metrics.pop(path.name, None)

    def _tidy(self) -> None:
        """Removes what a process that died left behind, and gives a replaced checkpoint its name back."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            name, _, kind = path.name.removeprefix(".").rpartition(".")
            if not path.name.startswith(f".{_PREFIX}") or not name:
                continue
            target = path.with_name(name)
            if kind.startswith("old-") and not target.exists():
                path.rename(target)
            elif kind.startswith(("new-", "old-", "gone-")):
                shutil.rmtree(path, ignore_errors=True)
