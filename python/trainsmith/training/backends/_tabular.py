"""Backends for rows."""

from os import PathLike
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from trainsmith.training._experiment_config import TrainConfig
from trainsmith.training._protocols_backend import Rows
from trainsmith.training._result import TrainResult
from trainsmith.training.backends._abstract import AbstractNetworkBackend


class AbstractTabularBackend(AbstractNetworkBackend):
    """A `Backend` and `Predictor`; see `AbstractNetworkBackend`. Validation rows are drawn at random."""

    windowed: ClassVar[bool] = False

    def train(self, features: Rows, labels: Rows, config: TrainConfig) -> TrainResult:
        """Trains a model and saves it to `model_path`.

        Args:
            features: shape (rows, features), finite.
            labels: shape (rows,), finite.
            config: how to train.

        Returns:
            The outcome; epochs count from 1.

        Raises:
            DataError: values that are not finite or no numbers, too few rows, or a loss that is no longer finite.
            ShapeError: another shape.
            IoError: a place that cannot be written.
        """
        return self.run("train", features, labels, config)

    def predict(self, model_path: str | PathLike[str], features: Rows) -> npt.NDArray[np.float64]:
        """Predicts with a saved model.

        Args:
            model_path: where a backend trained to.
            features: shape (rows, features), finite.

        Returns:
            A number in the labels' unit, or a class label, for each row; shape (rows,).

        Raises:
            DataError: values that are not finite or no numbers.
            ShapeError: another shape.
            IoError: no such model.
        """
        return self.predicted("predict", model_path, features)


@final
class MLPBackend(AbstractTabularBackend):
    """A multilayer perceptron; settings as of `AbstractNetworkBackend`, architecture as of `models.MLPArchitecture`.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from trainsmith.training import TrainConfig
        >>> from trainsmith.training.backends import MLPBackend
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     backend = MLPBackend(path, {"hidden": [16]})
        ...     result = backend.train(x, 3 * x[:, 0] + 7, TrainConfig(epochs=40, learning_rate=0.01))
        ...     predicted = backend.predict(path, x)
        >>> float(np.abs(predicted - (3 * x[:, 0] + 7)).mean()) < 0.3
        True
    """

    type: ClassVar[str] = "mlp"


@final
class ResNetBackend(AbstractTabularBackend):
    """A residual network; settings as of `AbstractNetworkBackend`, architecture as of `models.ResNetArchitecture`.

    Example:
        `MLPBackend` shows the use.
    """

    type: ClassVar[str] = "resnet"
