import numpy as np
import pytest

from trainsmith.errors import CancelledError, ConfigError, DataError, ShapeError
from trainsmith.training import RunContext, TrainConfig, TrainResult, dispatch_train, dispatch_train_windowed

CONFIG = TrainConfig(epochs=2)
RESULT = TrainResult(final_loss=0.5, best_loss=0.5, total_epochs=2)
WINDOWS = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]


class Flat:
    def train(self, features, labels, config):
        self.seen = features, labels, config
        return RESULT


class Windowed:
    def train_windowed(self, windows, labels, config):
        self.seen = windows, labels, config
        return RESULT


class Both(Flat, Windowed):
    def train(self, features, labels, config):
        raise AssertionError("train_windowed goes first")


def test_rows_become_windows_of_one_step():
    for backend in (Windowed(), Both()):
        assert dispatch_train(backend, [[1, 2], [3, 4]], [0, 1], CONFIG) is RESULT
        assert backend.seen == ([[[1, 2]], [[3, 4]]], [0, 1], CONFIG)
    features = np.zeros((3, 2))
    dispatch_train(backend := Windowed(), features, np.zeros(3), CONFIG)
    assert backend.seen[0].shape == (3, 1, 2)
    assert np.shares_memory(backend.seen[0], features)


def test_a_flat_backend_gets_the_rows_themselves():
    rows = [[1, 2], [3, 4]]
    assert dispatch_train(backend := Flat(), rows, [0, 1], CONFIG) is RESULT
    assert backend.seen[0] is rows


def test_a_windowed_backend_gets_the_windows_themselves():
    for backend in (Windowed(), Both()):
        assert dispatch_train_windowed(backend, WINDOWS, [0, 1], CONFIG) is RESULT
        assert backend.seen[0] is WINDOWS


@pytest.mark.parametrize("kind", [list, np.array])
def test_a_flat_backend_gets_one_row_per_window(kind):
    windows = kind(WINDOWS)
    expected = {
        "last": [[3, 4], [7, 8]],
        "concat": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "mean+last": [[2, 3, 3, 4], [6, 7, 7, 8]],
    }
    dispatch_train_windowed(backend := Flat(), windows, [0, 1], CONFIG)
    assert np.asarray(backend.seen[0]).tolist() == expected["last"]
    for flatten, rows in expected.items():
        dispatch_train_windowed(backend := Flat(), windows, [0, 1], CONFIG, flatten=flatten)
        assert np.asarray(backend.seen[0]).tolist() == rows


def test_the_last_step_is_shared_and_an_empty_window_has_none():
    dispatch_train_windowed(backend := Flat(), [WINDOWS[0], []], [0, 1], CONFIG)
    assert backend.seen[0] == [[3, 4], None]
    assert backend.seen[0][0] is WINDOWS[0][1]
    dispatch_train_windowed(backend := Flat(), np.zeros((2, 0, 3)), [0, 1], CONFIG)
    assert backend.seen[0] == [None, None]


@pytest.mark.parametrize("flatten", ["concat", "mean+last"])
def test_windows_of_different_lengths_cannot_be_joined(flatten):
    with pytest.raises(ShapeError, match="windows of one shape"):
        dispatch_train_windowed(Flat(), [WINDOWS[0], [[1, 2]]], [0, 1], CONFIG, flatten=flatten)


def test_errors_of_the_backend_pass_unchanged():
    class Broken:
        def train(self, features, labels, config):
            raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        dispatch_train(Broken(), [[1]], [0], CONFIG)


@pytest.mark.parametrize("dispatch", [dispatch_train, dispatch_train_windowed])
def test_what_cannot_be_trained_on_is_refused(dispatch):
    for backend in (None, object()):
        with pytest.raises(ConfigError, match="backend"):
            dispatch(backend, WINDOWS, [0, 1], CONFIG)
    with pytest.raises(ShapeError, match="expected 2, got 1"):
        dispatch(Flat(), WINDOWS, [0], CONFIG)
    with pytest.raises(DataError, match="rows"):
        dispatch(Flat(), [], [], CONFIG)
    with pytest.raises(CancelledError):
        dispatch(Flat(), WINDOWS, [0, 1], CONFIG, ctx=RunContext(timeout=0))
    with pytest.raises(ConfigError, match="flatten"):
        dispatch_train_windowed(Flat(), WINDOWS, [0, 1], CONFIG, flatten="all")
