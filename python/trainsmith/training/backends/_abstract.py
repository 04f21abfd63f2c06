"""What backends share: settings, the run, the saved model."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError, DataError
from trainsmith.models import complete_architecture, complete_windowed_architecture
from trainsmith.training._arrays import Arrays
from trainsmith.training._config import BatchConfig, WorkflowConfig
from trainsmith.training._experiment_config import TrainConfig
from trainsmith.training._fit import fit
from trainsmith.training._kept_generator import kept_generator
from trainsmith.training._result import TrainResult
from trainsmith.training._sections import OptimizerConfig
from trainsmith.training.backends._rows import Array, labels_of, numbers, parts
from trainsmith.training.backends._saved import SavedModel, Task, load, make_module
from trainsmith.training.backends._scaler import Scaler


class AbstractNetworkBackend:
    """Trains a network, keeps its best weights in a file and predicts from that file alone.

    Features, and labels of a regression, are standardised by the training rows. Losses of a regression are in squared
    standard deviations of the label, those of a classification are cross entropies.

    Args:
        model_path: where training puts the model; a file that is there is replaced.
        architecture: shape of the network, or a part of it.
        task: `regression`, or `classification` of labels that are few different numbers.
        validation_ratio: share of the rows that choose the best epoch, in [0, 1); 0 keeps the last weights.
        seed: of weights, batches and the draw of validation rows, 0 to 2**64 - 1.
        dtype: `float32` or `float64`.

    Raises:
        ConfigError: an architecture that breaks its rules.
        ArgumentError: another setting outside its range.
    """

    type: ClassVar[str]
    windowed: ClassVar[bool]

    def __init__(
        self,
        model_path: str | PathLike[str],
        architecture: Mapping[str, Any] | None = None,
        *,
        task: Task = "regression",
        validation_ratio: float = 0.15,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        known = task in ("regression", "classification") and dtype in ("float32", "float64")
        if not known or not 0 <= validation_ratio < 1 or not 0 <= seed < 2**64:
            raise worded(
                ArgumentError,
                self.type,
                "a backend's settings must be known",
                expected="regression or classification, a ratio in [0, 1), a seed of 64 bits, float32 or float64",
                got=shown((task, validation_ratio, seed, dtype)),
                step="leave the defaults",
            )
        complete = complete_windowed_architecture if self.windowed else complete_architecture
        self._architecture = complete(self.type, architecture or {})
        self._path = model_path
        self._task: Task = task
        self._ratio = validation_ratio
        self._seed = seed
        self._dtype = dtype

    @property
    def model_path(self) -> str | PathLike[str]:
        """Where training puts the model."""
        return self._path

    def run(self, op: str, values: Any, labels: Any, config: TrainConfig) -> TrainResult:
        """Trains and saves.

        Args:
            op: the operation that asks.
            values: rows or windows.
            labels: one per row.
            config: how to train.

        Returns:
            The outcome.
        """
        x = numbers(op, values, 3 if self.windowed else 2)
        y = labels_of(op, labels, len(x))
        classes = self._classes(op, y)
        purge = x.shape[1] - 1 if self.windowed else None
        first, held = parts(op, len(x), self._ratio, seed=self._seed, purge=purge)
        inputs, target = Scaler.of(x[first]), Scaler.of(y[first, None])
        names = ["window", "features"] if self.windowed else ["inputs"]
        sizes = dict(zip(names, x.shape[1:], strict=True))

        def arrays(rows: npt.NDArray[np.int64]) -> Arrays:
            scaled = inputs.scaled(x[rows]).astype(self._dtype)
            if classes:
                return Arrays(x=scaled, y=np.searchsorted(np.array(classes), y[rows]).astype(np.int64))
            return Arrays(x=scaled, y=target.scaled(y[rows, None]).astype(self._dtype))

        with kept_generator(self._seed):
            module = make_module(self.type, self._architecture, sizes, max(1, len(classes)), self._dtype)
            result = fit(
                module,
                arrays(first),
                arrays(held) if held.size else None,
                config=WorkflowConfig(
                    num_epochs=config.epochs,
                    learning_rate=config.learning_rate,
                    max_no_improve=0,
                    random_seed=self._seed,
                    batch_config=BatchConfig(batch_size=config.batch_size),
                ),
                optimizer=OptimizerConfig(weight_decay=config.weight_decay),
            )
        SavedModel(
            type=self.type,
            architecture=self._architecture,
            sizes=sizes,
            task=self._task,
            classes=classes,
            dtype=self._dtype,
            module=module,
            inputs=inputs,
            target=target,
        ).save(self._path)
        return TrainResult(
            final_loss=result.final_loss,
            best_loss=result.best_loss,
            best_epoch=result.best_epoch,
            total_epochs=result.total_epochs,
        )

    def predicted(self, op: str, model_path: str | PathLike[str], values: Any) -> Array:
        """Predicts with a saved model of any backend.

        Args:
            op: the operation that asks.
            model_path: the file.
            values: rows or windows.

        Returns:
            Shape (rows,).
        """
        return load(model_path).predict(numbers(op, values, 3 if self.windowed else 2))

    def _classes(self, op: str, labels: Array) -> tuple[float, ...]:
        if self._task == "regression":
            return ()
        classes = np.unique(labels)
        if not 2 <= len(classes) <= max(2, len(labels) // 2):
            raise worded(
                DataError,
                op,
                "labels of a classification are few different numbers",
                expected="at least 2 classes, and on average at least 2 rows of each",
                got=f"{len(classes)} in {len(labels)} rows",
                step='use task="regression" for measured labels',
            )
        return tuple(float(one) for one in classes)
