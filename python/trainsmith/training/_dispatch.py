"""Sends rows or windows to a backend in the form that it takes."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._experiment_config import TrainConfig
from trainsmith.training._protocols_backend import Backend, Rows, WindowedBackend
from trainsmith.training._result import TrainResult

Flatten = Literal["last", "concat", "mean+last"]


def dispatch_train(
    backend: Backend | WindowedBackend,
    features: Rows,
    labels: Rows,
    config: TrainConfig,
    *,
    ctx: RunContext | None = None,
) -> TrainResult:
    """Trains on flat rows; a windowed backend gets each row as a window of one step.

    Args:
        backend: `train_windowed` is called where it has it, otherwise `train`.
        features: shape (rows, features); rows are passed on without a copy.
        labels: shape (rows,).
        config: how to train.
        ctx: may end the work before it starts.

    Returns:
        What the backend returned.

    Raises:
        ShapeError: not one label per row.
        DataError: no rows.
        ConfigError: the backend can do neither.

    Example:
        >>> from trainsmith.training import TrainConfig, TrainResult, dispatch_train
        >>> class Echo:
        ...     def train_windowed(self, windows, labels, config):
        ...         print(windows, labels)
        ...         return TrainResult(total_epochs=config.epochs)
        >>> dispatch_train(Echo(), [[1, 2], [3, 4]], [0, 1], TrainConfig(epochs=2)).total_epochs
        [[[1, 2]], [[3, 4]]] [0, 1]
        2
    """
    _check("dispatch_train", backend, features, labels)
    raise_if_done(ctx, "dispatch_train")
    if isinstance(backend, WindowedBackend):
        windows = features[:, np.newaxis] if isinstance(features, np.ndarray) else [[row] for row in features]
        return backend.train_windowed(windows, labels, config)
    return backend.train(features, labels, config)


def dispatch_train_windowed(
    backend: Backend | WindowedBackend,
    windows: Rows,
    labels: Rows,
    config: TrainConfig,
    *,
    flatten: Flatten = "last",
    ctx: RunContext | None = None,
) -> TrainResult:
    """Trains on windows; a flat backend gets one row per window.

    Args:
        backend: `train_windowed` is called where it has it, otherwise `train`.
        windows: shape (windows, time, features).
        labels: shape (windows,).
        config: how to train.
        flatten: the row that a flat backend gets: the `last` step, without a copy; all steps one after the other
            (`concat`); or the mean over the steps and the last (`mean+last`).
        ctx: may end the work before it starts.

    Returns:
        What the backend returned.

    Raises:
        ShapeError: not one label per window, or windows of different shapes that `flatten` cannot join.
        DataError: no windows.
        ConfigError: the backend can do neither, or an unknown `flatten`.

    Example:
        >>> from trainsmith.training import TrainConfig, TrainResult, dispatch_train_windowed
        >>> class Echo:
        ...     def train(self, features, labels, config):
        ...         print(features)
        ...         return TrainResult(total_epochs=1)
        >>> done = dispatch_train_windowed(Echo(), [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [0, 1], TrainConfig())
        [[3, 4], [7, 8]]
    """
    _check("dispatch_train_windowed", backend, windows, labels)
    if flatten not in ("last", "concat", "mean+last"):
        raise worded(
            ConfigError,
            "dispatch_train_windowed",
            "flatten must be known",
            expected='"last", "concat" or "mean+last"',
            got=shown(flatten),
            step="choose one of them",
        )
    raise_if_done(ctx, "dispatch_train_windowed")
    if isinstance(backend, WindowedBackend):
        return backend.train_windowed(windows, labels, config)
    return backend.train(_flat(windows, flatten), labels, config)


def _flat(windows: Rows, flatten: Flatten) -> Rows:
    if flatten == "last":
        if isinstance(windows, np.ndarray) and all(windows.shape):
            return cast(np.ndarray[Any, Any], windows)[:, -1]
        return [window[-1] if len(window) else None for window in windows]
    try:
        stacked: np.ndarray[Any, Any] = np.asarray(windows, None if isinstance(windows, np.ndarray) else np.float64)
    except (TypeError, ValueError):
        stacked = np.zeros(0)
    if stacked.ndim != 3 or not stacked.shape[1]:
        raise worded(
            ShapeError,
            "dispatch_train_windowed",
            f'flatten="{flatten}" needs windows of one shape',
            expected="shape (windows, time, features) with at least one step",
            got=str(stacked.shape) if stacked.ndim == 3 else "windows of different shapes",
            step='cut windows of equal length, or use flatten="last"',
        )
    if flatten == "concat":
        return stacked.reshape(stacked.shape[0], -1)
    return np.concatenate([stacked.mean(axis=1), stacked[:, -1]], axis=1)


def _check(op: str, backend: object, rows: Rows, labels: Rows) -> None:
    if not isinstance(backend, Backend | WindowedBackend):
        raise worded(
            ConfigError,
            op,
            "the backend must be able to train",
            expected="an object with train or train_windowed",
            got=shown(backend),
            step="pass a Backend or a WindowedBackend",
        )
    sizes = [len(cast(Sequence[Any], one)) for one in (rows, labels)]
    if sizes[0] != sizes[1]:
        raise worded(
            ShapeError, op, "every row needs one label", expected=str(sizes[0]), got=str(sizes[1]), step="pass both"
        )
    if not sizes[0]:
        raise worded(DataError, op, "there must be rows", expected="at least 1", got="none", step="pass rows")
