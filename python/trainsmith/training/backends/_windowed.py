"""Backends for windows of time steps."""

from os import PathLike
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from trainsmith.training._experiment_config import TrainConfig
from trainsmith.training._protocols_backend import Rows
from trainsmith.training._result import TrainResult
from trainsmith.training.backends._abstract import AbstractNetworkBackend


class AbstractWindowedBackend(AbstractNetworkBackend):
    """A `WindowedBackend` and `WindowedPredictor`; see `AbstractNetworkBackend`.

    The last windows validate. Between them and the training windows as many are left out as windows that overlap by all
    but one step would share steps with both.
    """

    windowed: ClassVar[bool] = True

    def train_windowed(self, windows: Rows, labels: Rows, config: TrainConfig) -> TrainResult:
        """Trains a model and saves it to `model_path`.

        Args:
            windows: shape (windows, time, features), finite, in order of time.
            labels: shape (windows,), finite.
            config: how to train.

        Returns:
            The outcome; epochs count from 1.

        Raises:
            DataError: values that are not finite or no numbers, too few windows, or a loss that is no longer finite.
            ShapeError: another shape.
            IoError: a place that cannot be written.
        """
        return self.run("train_windowed", windows, labels, config)

    def predict_windowed(self, model_path: str | PathLike[str], windows: Rows) -> npt.NDArray[np.float64]:
        """Predicts with a saved model.

        Args:
            model_path: where a backend trained to.
            windows: shape (windows, time, features), finite.

        Returns:
            A number in the labels' unit, or a class label, for each window; shape (windows,).

        Raises:
            DataError: values that are not finite or no numbers.
            ShapeError: another shape.
            IoError: no such model.
        """
        return self.predicted("predict_windowed", model_path, windows)


@final
class LSTMBackend(AbstractWindowedBackend):
    """An LSTM; settings as of `AbstractNetworkBackend`, architecture as of `models.LSTMArchitecture`.

    Example:
        `DLinearBackend` shows the use.
    """

    type: ClassVar[str] = "lstm"


@final
class DLinearBackend(AbstractWindowedBackend):
    """DLinear; settings as of `AbstractNetworkBackend`, architecture as of `models.DLinearArchitecture`.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from trainsmith.training import TrainConfig
        >>> from trainsmith.training.backends import DLinearBackend
        >>> windows = np.random.default_rng(0).normal(size=(200, 6, 1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     backend = DLinearBackend(path, {"kernel": 3})
        ...     result = backend.train_windowed(windows, windows[:, -1, 0], TrainConfig(epochs=60, learning_rate=0.02))
        ...     predicted = backend.predict_windowed(path, windows)
        >>> float(np.abs(predicted - windows[:, -1, 0]).mean()) < 0.1
        True
    """

    type: ClassVar[str] = "dlinear"
