"""What training, validation and cross-validation give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainsmith.data._options import declared, option, required
from trainsmith.training._plain import Plain

_EXTENSIONS = "free entries, kept as they are"

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
        seconds: wall-clock time of the epoch with its validation; not compared.

    Example:
        >>> EpochRecord(epoch=1, learning_rate=1e-3, training_loss=0.7).to_dict()["epoch"]
        1
    """

    epoch: int = required("counted from 1", "int", low=0)
    learning_rate: float = required("the rate used", "number")
    training_loss: float = required("mean over the training rows", "number")
    validation_loss: float | None = option(None, "after the epoch", "number")
    validation_metrics: Mapping[str, float | None] = option({}, "after the epoch", "scores")
    improved: bool = option(False, "whether the epoch gave the best weights so far", "bool")
    seconds: float = field(default=0.0, compare=False, metadata=declared("wall-clock time", "float", low=0))

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain values for JSON."""
        return {
            "epoch": self.epoch,
            "learning_rate": self.learning_rate,
            "training_loss": self.training_loss,
            "validation_loss": self.validation_loss,
            **{f"validation_{name}": value for name, value in self.validation_metrics.items()},
            "improved": self.improved,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult(Plain):
    """The outcome of `Backend.train`.

    Args:
        final_loss: of the last epoch; None where no epoch finished.
        best_loss: of the best epoch; None where no epoch finished.
        best_epoch: counted as the backend counts.
        total_epochs: finished epochs.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> TrainResult(final_loss=0.2, best_loss=0.1, best_epoch=3, total_epochs=5).best_loss
        0.1
    """

    final_loss: float | None = option(None, "of the last epoch", "number")
    best_loss: float | None = option(None, "of the best epoch", "number")
    best_epoch: int = option(0, "the best epoch", "int", low=0)
    total_epochs: int = option(0, "finished epochs", "int", low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult(Plain):
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
        model_path: where the model was saved; empty where it was not, and then left out of the plain values.
        status: how the run ended.
        history: one record per finished epoch.
        extensions: free entries.
        model: the trained model, where the run gives it; no part of the plain values, and not compared.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> result = TrainingResult(final_loss=0.2, best_loss=0.1, best_epoch=3, total_epochs=5)
        >>> result.status, TrainingResult.from_json(result.to_json()) == result
        ('completed', True)
    """

    final_loss: float | None = option(None, "of the last finished epoch", "number")
    best_loss: float | None = option(None, "of the best epoch", "number")
    best_epoch: int = option(0, "counted from 1; 0: none", "int", low=0)
    total_epochs: int = option(0, "finished epochs", "int", low=0)
    training_time_seconds: float = option(0.0, "wall-clock time", "float", low=0)
    metrics: Mapping[str, float | None] = option({}, "named scores", "scores")
    model_path: str = option("", "where the model was saved", "str")
    status: Literal["completed", "early_stopped", "interrupted"] = option(
        "completed", "how the run ended", "str", choices=("completed", "early_stopped", "interrupted")
    )
    history: tuple[EpochRecord, ...] = field(
        default=(), metadata=declared("one record per epoch", "configs", config=EpochRecord)
    )
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")
    model: Any = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns the plain values under their JSON names; an empty `model_path` is left out."""
        plain = Plain.to_dict(self)
        if not self.model_path:
            del plain["model_path"]
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult(Plain):
    """The outcome of one validation.

    Args:
        loss: mean over the rows; None where it could not be measured, and then `extensions["error"]` says why.
        metrics: named scores.
        sample_count: rows, not batches.
        validation_time_seconds: wall-clock time.
        extensions: free entries.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> ValidationResult(loss=0.25, sample_count=10).to_dict()["sample_count"]
        10
    """

    loss: float | None = option(None, "mean over the rows", "number")
    metrics: Mapping[str, float | None] = option({}, "named scores", "scores")
    sample_count: int = option(0, "rows", "int", low=0)
    validation_time_seconds: float = option(0.0, "wall-clock time", "float", low=0)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class CVResult(Plain):
    """The outcome of a cross-validation.

    Args:
        mean_loss: mean over the folds that have a loss; None where none has.
        std_loss: standard deviation over those folds.
        mean_metrics: mean of each metric over the folds that have it.
        std_metrics: standard deviation of each metric.
        fold_results: one result per fold, in fold order, failed folds too.
        total_time_seconds: wall-clock time.
        extensions: free entries.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> CVResult(mean_loss=0.5, fold_results=(ValidationResult(loss=0.5),)).fold_results[0].loss
        0.5
    """

    mean_loss: float | None = option(None, "mean over the folds", "number")
    std_loss: float | None = option(None, "standard deviation over the folds", "number")
    mean_metrics: Mapping[str, float | None] = option({}, "mean over the folds", "scores")
    std_metrics: Mapping[str, float | None] = option({}, "standard deviation over the folds", "scores")
    fold_results: tuple[ValidationResult, ...] = field(
        default=(), metadata=declared("one result per fold", "configs", config=ValidationResult)
    )
    total_time_seconds: float = option(0.0, "wall-clock time", "float", low=0)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo(Plain):
    """What is known about a model without loading it.

    Args:
        name: the model's name.
        version: its version.
        architecture: the kind of model, such as `mlp`.
        parameter_count: trained numbers, at least 0.
        input_shape: shape of one input, without the batch axis.
        output_shape: shape of one output, without the batch axis.
        extensions: free entries.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> ModelInfo(name="net", architecture="mlp", parameter_count=21, input_shape=(4,)).input_shape
        (4,)
    """

    name: str = option("", "the model's name", "str")
    version: str = option("", "its version", "str")
    architecture: str = option("", "the kind of model", "str")
    parameter_count: int = option(0, "trained numbers", "int", low=0)
    input_shape: tuple[int, ...] = option((), "shape of one input", "ints", low=0)
    output_shape: tuple[int, ...] = option((), "shape of one output", "ints", low=0)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")
