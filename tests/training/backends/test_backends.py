"""Backends learn what is there, and nothing where nothing is."""

import json

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, ConfigError, DataError, IoError, ShapeError
from trainsmith.testing import check_backend, check_predictor, check_windowed_backend, check_windowed_predictor
from trainsmith.training import TrainConfig, dispatch_train
from trainsmith.training.backends import DLinearBackend, LSTMBackend, MLPBackend, ResNetBackend
from trainsmith.training.backends._rows import parts

ROWS, WINDOW = 300, 6
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(2.0, 3.0, size=(ROWS, 4))
Y = 10 + 5 * np.sin(X[:, 0] / 3) + 2 * X[:, 1]
WINDOWS = GENERATOR.normal(-1.0, 2.0, size=(ROWS, WINDOW, 2))
NEXT = 3 + WINDOWS[:, -1, 0] - 0.5 * WINDOWS[:, -2, 1]

TABULAR = {
    MLPBackend: ({"hidden": [32]}, TrainConfig(epochs=60, batch_size=32, learning_rate=0.01)),
    ResNetBackend: (
        {"width": 16, "hidden": 32, "blocks": 1},
        TrainConfig(epochs=40, batch_size=32, learning_rate=5e-3),
    ),
}
WINDOWED = {
    LSTMBackend: ({"hidden": 16}, TrainConfig(epochs=60, batch_size=32, learning_rate=0.02)),
    DLinearBackend: ({"kernel": 3}, TrainConfig(epochs=60, batch_size=32, learning_rate=0.01)),
}
ALL = [*TABULAR, *WINDOWED]


def made(kind, path, **options):
    architecture, config = (TABULAR | WINDOWED)[kind]
    return kind(path, architecture, **options), config


def learn(kind, path, labels=None, rows=slice(0, 240), **options):
    """Trains on the first rows and predicts the rest."""
    backend, config = made(kind, path, **options)
    x, y = (X, Y) if kind in TABULAR else (WINDOWS, NEXT)
    y = y if labels is None else labels
    rest = slice(240, ROWS)
    if kind in TABULAR:
        return backend.train(x[rows], y[rows], config), backend.predict(path, x[rest]), y[rest]
    return backend.train_windowed(x[rows], y[rows], config), backend.predict_windowed(path, x[rest]), y[rest]


def explained(predicted, true):
    return 1 - ((predicted - true) ** 2).mean() / true.var()


@pytest.mark.parametrize("kind", ALL)
def test_a_known_function_is_learnt(kind, tmp_path):
    result, predicted, true = learn(kind, tmp_path / "m")
    assert explained(predicted, true) > 0.9
    assert result.total_epochs == (TABULAR | WINDOWED)[kind][1].epochs
    assert 1 <= result.best_epoch <= result.total_epochs


@pytest.mark.parametrize("kind", ALL)
def test_shuffled_labels_teach_nothing(kind, tmp_path):
    labels = np.random.default_rng(1).permutation(Y if kind in TABULAR else NEXT)
    _, predicted, true = learn(kind, tmp_path / "m", labels)
    assert explained(predicted, true) < 0.1


@pytest.mark.parametrize("kind", ALL)
def test_classes_are_learnt_and_shuffled_ones_are_not(kind, tmp_path):
    values = Y if kind in TABULAR else NEXT
    labels = np.where(values > np.median(values), 7.0, -1.0)
    _, predicted, true = learn(kind, tmp_path / "m", labels, task="classification")
    assert set(predicted) == {7.0, -1.0}
    assert (predicted == true).mean() > 0.85
    shuffled = np.random.default_rng(1).permutation(labels)
    _, predicted, true = learn(kind, tmp_path / "m", shuffled, task="classification")
    assert 0.3 < (predicted == true).mean() < 0.7


@pytest.mark.parametrize("kind", TABULAR)
def test_the_laws_of_backends_hold(kind, tmp_path):
    backend, _ = made(kind, tmp_path / "m")
    check_backend(backend, X, Y)
    check_predictor(backend, tmp_path / "m", X)


@pytest.mark.parametrize("kind", WINDOWED)
def test_the_laws_of_windowed_backends_hold(kind, tmp_path):
    backend, _ = made(kind, tmp_path / "m")
    check_windowed_backend(backend, WINDOWS, NEXT)
    check_windowed_predictor(backend, tmp_path / "m", WINDOWS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_file_alone_predicts_and_a_seed_gives_the_same_file(dtype, tmp_path):
    state = ts.default_generator().get_state()
    first, predicted, _ = learn(MLPBackend, tmp_path / "m", dtype=dtype, seed=3)
    second, again, _ = learn(MLPBackend, tmp_path / "n", dtype=dtype, seed=3)
    assert ts.default_generator().get_state() == state
    assert first == second
    assert (tmp_path / "m").read_bytes() == (tmp_path / "n").read_bytes()
    np.testing.assert_array_equal(predicted, again)
    other = ResNetBackend(tmp_path / "unused")
    np.testing.assert_array_equal(other.predict(tmp_path / "m", X[240:]), predicted)
    _, other, _ = learn(MLPBackend, tmp_path / "o", dtype=dtype, seed=4)
    assert not np.array_equal(other, predicted)
    tensors, metadata = ts._core.load_safetensors(str(tmp_path / "m"), "cpu")
    assert json.loads(metadata["trainsmith"])["architecture"]["hidden"] == [32]
    assert tensors["model.0.weight"].dtype == getattr(ts, dtype)


@pytest.mark.parametrize("kind", ALL)
def test_scalers_see_the_training_rows_alone(kind, tmp_path):
    backend, _ = made(kind, tmp_path / "m", validation_ratio=0.25)
    x, y = (X, Y) if kind in TABULAR else (WINDOWS, NEXT)
    purge = WINDOW - 1 if kind in WINDOWED else None
    train, held = parts("test", ROWS, 0.25, seed=0, purge=purge)
    x, y = x.copy(), y.copy()
    x[held], y[held] = 1e6 * (1 + np.abs(x[held])), -1e6
    call = backend.train if kind in TABULAR else backend.train_windowed
    call(x, y, TrainConfig(epochs=1))
    tensors = ts.load_safetensors(tmp_path / "m")
    axes = tuple(range(x.ndim - 1))
    np.testing.assert_allclose(np.asarray(tensors["inputs.mean"]), x[train].mean(axis=axes))
    np.testing.assert_allclose(np.asarray(tensors["inputs.std"]), x[train].std(axis=axes))
    np.testing.assert_allclose(np.asarray(tensors["target.mean"]), [y[train].mean()])


def test_windows_that_validate_share_no_step_with_those_that_train():
    train, held = parts("test", 100, 0.2, seed=0, purge=4)
    np.testing.assert_array_equal(held, np.arange(80, 100))
    np.testing.assert_array_equal(train, np.arange(76))
    drawn, others = parts("test", 100, 0.2, seed=0, purge=None)
    np.testing.assert_array_equal(np.sort(np.concatenate([drawn, others])), np.arange(100))
    assert not np.array_equal(others, held)
    everything, none = parts("test", 100, 0.0, seed=0, purge=4)
    assert (len(everything), len(none)) == (100, 0)


def test_a_constant_feature_and_nested_lists_are_fine(tmp_path):
    backend = MLPBackend(tmp_path / "m", {"hidden": []}, validation_ratio=0.0)
    rows = [[1.0, float(place)] for place in range(20)]
    result = backend.train(rows, [2.0 * place for place in range(20)], TrainConfig(epochs=200, learning_rate=0.05))
    assert result.best_loss < 1e-3
    assert backend.predict(tmp_path / "m", [[1.0, 5.0]])[0] == pytest.approx(10.0, abs=0.5)
    flat = LSTMBackend(tmp_path / "n")
    dispatch_train(flat, rows, [1.0, 2.0] * 10, TrainConfig(epochs=1))
    assert flat.predict_windowed(tmp_path / "n", [[row] for row in rows]).shape == (20,)


BAD = [
    (X[:, 0], Y, ShapeError, "data must have rows"),
    (X[:0], Y[:0], ShapeError, "data must have rows"),
    ([[1.0], [1.0, 2.0]], [1.0, 2.0], ShapeError, "equal lengths"),
    ([["a"], ["b"]], [1.0, 2.0], DataError, "cells must be numbers"),
    (np.where(X > 5, np.nan, X), Y, DataError, "values must be finite; expected finite numbers, got nan at"),
    (X, np.where(Y.mean() < Y, np.inf, Y), DataError, "got inf at"),
    (X, Y[:-1], ShapeError, "each row needs one label"),
    (X, [None] * ROWS, DataError, "finite|numbers"),
    (X[:1], Y[:1], None, ""),
]


@pytest.mark.parametrize(("rows", "labels", "kind", "message"), BAD)
def test_bad_data_is_named_and_leaves_no_file(rows, labels, kind, message, tmp_path):
    backend = MLPBackend(tmp_path / "m")
    if kind is None:
        assert backend.train(rows, labels, TrainConfig(epochs=1)).total_epochs == 1
        return
    with pytest.raises(kind, match=message):
        backend.train(rows, labels, TrainConfig(epochs=1))
    assert list(tmp_path.iterdir()) == []


def test_misuse_is_named(tmp_path):
    with pytest.raises(ConfigError, match="width"):
        MLPBackend(tmp_path / "m", {"width": 3})
    for options in ({"task": "ranking"}, {"validation_ratio": 1.0}, {"seed": -1}, {"dtype": "float16"}):
        with pytest.raises(ArgumentError, match="settings must be known"):
            LSTMBackend(tmp_path / "m", **options)
    with pytest.raises(DataError, match="few different numbers"):
        MLPBackend(tmp_path / "m", task="classification").train(X, Y, TrainConfig(epochs=1))
    with pytest.raises(DataError, match="rows must be left to train on"):
        DLinearBackend(tmp_path / "m", validation_ratio=0.5).train_windowed(
            WINDOWS[:8], NEXT[:8], TrainConfig(epochs=1)
        )
    backend = MLPBackend(tmp_path / "m")
    with pytest.raises(IoError):
        backend.predict(tmp_path / "m", X)
    backend.train(X, Y, TrainConfig(epochs=1))
    with pytest.raises(ShapeError, match="sizes that the model was trained on"):
        backend.predict(tmp_path / "m", X[:, :2])
    ts.save_safetensors(tmp_path / "other", {"weight": ts.ones(2)})
    with pytest.raises(IoError, match="must be a backend's model"):
        backend.predict(tmp_path / "other", X)
