"""What a training run gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["completed", "early_stopped", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One finished epoch.

    Args:
        epoch: counted from 1.
        learning_rate: the rate used in the epoch.
        training_loss: mean over the training rows, each measured before the step that used it.
        validation_loss: after the epoch; None without validation rows.
        validation_metrics: after the epoch; empty without validation rows.
        improved: whether the epoch gave the best weights so far.

    Example:
        >>> EpochRecord(epoch=1, learning_rate=1e-3, training_loss=0.7).to_dict()["epoch"]
        1
    """

    epoch: int
    learning_rate: float
    training_loss: float
    validation_loss: float | None = None
    validation_metrics: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    improved: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain values for JSON."""
        return {
            "epoch": self.epoch,
            "learning_rate": self.learning_rate,
            "training_loss": self.training_loss,
            "validation_loss": self.validation_loss,
            **{f"validation_{name}": value for name, value in self.validation_metrics.items()},
            "improved": self.improved,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """The outcome of a run, under the seed's names.

    Losses are validation losses, or training losses where there are no validation rows. A regression loss is in squared
    standard deviations of the target.

    Args:
        final_loss: of the last finished epoch; None where no epoch finished.
        best_loss: of the best epoch, whose weights the model holds; None where no epoch finished.
        best_epoch: counted from 1; 0 where no epoch finished.
        total_epochs: finished epochs.
        training_time_seconds: wall-clock time.
        metrics: named scores.
        model_path: where the model was saved; empty where it was not.
        status: how the run ended.
        history: one record per finished epoch.
        extensions: free entries.

    Example:
        >>> TrainingResult(
        ...     final_loss=0.2, best_loss=0.1, best_epoch=3, total_epochs=5, training_time_seconds=1.0
        ... ).status
        'completed'
    """

    final_loss: float | None
    best_loss: float | None
    best_epoch: int
    total_epochs: int
    training_time_seconds: float
    metrics: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    model_path: str = ""
    status: Status = "completed"
    history: tuple[EpochRecord, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict[str, Any])
