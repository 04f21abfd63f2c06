"""Models as black boxes: train from rows or windows, predict from a saved model."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from trainsmith.training._experiment_config import TrainConfig
from trainsmith.training._result import TrainResult

Rows = npt.NDArray[np.floating[Any]] | Sequence[Any]
"""An array, or nested lists of numbers."""


@runtime_checkable
class Backend(Protocol):
    """Trains on flat rows. Laws: `trainsmith.testing.check_backend`."""

    def train(self, features: Rows, labels: Rows, config: TrainConfig) -> TrainResult:
        """Trains a model.

        Args:
            features: shape (rows, features).
            labels: shape (rows,).
            config: how to train.

        Returns:
            The outcome.
        """
        ...


@runtime_checkable
class WindowedBackend(Protocol):
    """Trains on windows of time steps. Laws: `trainsmith.testing.check_windowed_backend`."""

    def train_windowed(self, windows: Rows, labels: Rows, config: TrainConfig) -> TrainResult:
        """Trains a model.

        Args:
            windows: shape (windows, time, features).
            labels: shape (windows,).
            config: how to train.

        Returns:
            The outcome.
        """
        ...


@runtime_checkable
class Predictor(Protocol):
    """Predicts from flat rows. Laws: `trainsmith.testing.check_predictor`."""

    def predict(self, model_path: str | PathLike[str], features: Rows) -> Rows:
        """Predicts with a saved model.

        Args:
            model_path: the saved model.
            features: shape (rows, features).

        Returns:
            One prediction per row, shape (rows,).
        """
        ...


@runtime_checkable
class WindowedPredictor(Protocol):
    """Predicts from windows of time steps. Laws: `trainsmith.testing.check_windowed_predictor`."""

    def predict_windowed(self, model_path: str | PathLike[str], windows: Rows) -> Rows:
        """Predicts with a saved model.

        Args:
            model_path: the saved model.
            windows: shape (windows, time, features).

        Returns:
            One prediction per window, shape (windows,).
        """
        ...
