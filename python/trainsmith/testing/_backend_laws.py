"""Laws of backends and predictors."""

from collections.abc import Callable
from os import PathLike
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trainsmith.testing._law import equal, law
from trainsmith.training import Backend, Predictor, TrainConfig, TrainResult, WindowedBackend, WindowedPredictor


def check_backend(
    backend: Backend,
    features: npt.NDArray[np.floating],
    labels: npt.NDArray[np.floating],
    config: TrainConfig | None = None,
) -> None:
    """Checks the laws of a `Backend`.

    Args:
        backend: the backend.
        features: shape (rows, features).
        labels: shape (rows,).
        config: how to train; 2 epochs by default.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import numpy as np
        >>> from trainsmith.testing import check_backend
        >>> from trainsmith.training import TrainResult
        >>> class Mean:
        ...     def train(self, features, labels, config):
        ...         loss = float(np.var(labels))
        ...         return TrainResult(final_loss=loss, best_loss=loss, best_epoch=0, total_epochs=1)
        >>> check_backend(Mean(), np.zeros((4, 2)), np.arange(4.0))
    """
    law(isinstance(cast(Any, backend), Backend), "a backend has train")
    _check_training(backend.train, features, labels, config, "train")


def check_windowed_backend(
    backend: WindowedBackend,
    windows: npt.NDArray[np.floating],
    labels: npt.NDArray[np.floating],
    config: TrainConfig | None = None,
) -> None:
    """Checks the laws of a `WindowedBackend`.

    Args:
        backend: the backend.
        windows: shape (windows, time, features).
        labels: shape (windows,).
        config: how to train; 2 epochs by default.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_windowed_backend
        >>> check_windowed_backend(object(), None, None)
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a windowed backend has train_windowed
    """
    law(isinstance(cast(Any, backend), WindowedBackend), "a windowed backend has train_windowed")
    _check_training(backend.train_windowed, windows, labels, config, "train_windowed")


def check_predictor(predictor: Predictor, model_path: str | PathLike[str], features: npt.NDArray[np.floating]) -> None:
    """Checks the laws of a `Predictor`.

    Args:
        predictor: the predictor.
        model_path: a saved model.
        features: at least 2 rows, shape (rows, features).

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import numpy as np
        >>> from trainsmith.testing import check_predictor
        >>> class Sum:
        ...     def predict(self, model_path, features):
        ...         return features.sum(axis=1)
        >>> check_predictor(Sum(), "model", np.ones((3, 2)))
    """
    law(isinstance(cast(Any, predictor), Predictor), "a predictor has predict")
    _check_prediction(lambda rows: predictor.predict(model_path, rows), features, "predict")


def check_windowed_predictor(
    predictor: WindowedPredictor, model_path: str | PathLike[str], windows: npt.NDArray[np.floating]
) -> None:
    """Checks the laws of a `WindowedPredictor`.

    Args:
        predictor: the predictor.
        model_path: a saved model.
        windows: at least 2 windows, shape (windows, time, features).

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_windowed_predictor
        >>> check_windowed_predictor(object(), "model", None)
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a windowed predictor has predict_windowed
    """
    law(isinstance(cast(Any, predictor), WindowedPredictor), "a windowed predictor has predict_windowed")
    _check_prediction(lambda rows: predictor.predict_windowed(model_path, rows), windows, "predict_windowed")


def _check_training(
    train: Callable[[Any, Any, TrainConfig], Any], rows: Any, labels: Any, config: TrainConfig | None, name: str
) -> None:
    config = config or TrainConfig(epochs=2)
    before = [rows.copy(), labels.copy()]
    result = train(rows, labels, config)
    law(isinstance(result, TrainResult), f"{name} returns a TrainResult", result)
    law(equal(before, [rows, labels]), f"{name} leaves its arrays as they are")
    law(0 < result.total_epochs <= config.epochs, f"{name} runs 1 to config.epochs epochs", result.total_epochs)
    law(0 <= result.best_epoch <= result.total_epochs, "the best epoch is one of those that ran", result.best_epoch)
    losses = result.best_loss, result.final_loss
    law(
        all(one is not None and bool(np.isfinite(one)) for one in losses) and losses[0] <= losses[1],
        "losses are finite and the best is at most the last",
        losses,
    )


def _check_prediction(predict: Callable[[Any], Any], rows: Any, name: str) -> None:
    before = rows.copy()
    found = np.asarray(predict(rows), dtype=np.float64)
    law(found.shape == (len(rows),), f"{name} returns one number per row", found.shape)
    law(bool(np.isfinite(found).all()), "predictions are finite")
    law(equal([before], [rows]), f"{name} leaves its array as it is")
    law(equal([found], [np.asarray(predict(rows), dtype=np.float64)]), "equal rows give equal predictions")
    half = np.asarray(predict(rows[: len(rows) // 2]), dtype=np.float64)
    law(
        bool(np.allclose(half, found[: len(half)], rtol=1e-5, atol=1e-8)),
        "the prediction of a row does not depend on the other rows",
    )
