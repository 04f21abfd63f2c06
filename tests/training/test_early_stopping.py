import json
import math

import pytest

from trainsmith.errors import ConfigError, DataError
from trainsmith.training import EarlyStopConfig, EarlyStopping


def run(values, **config):
    stopping = EarlyStopping(EarlyStopConfig(**config))
    columns = [(stopping.step(value), stopping.smoothed, stopping.best_metric(), stopping.counter) for value in values]
    return [list(column) for column in zip(*columns)]


def test_smoothed_values_of_a_plateau_are_exact():
    returned, smoothed, best, counter = run([1.0] + [0.5] * 13, alpha=0.5, patience=3, min_delta=0.001)
    assert smoothed == [0.5 + 2.0**-power for power in range(1, 15)]
    assert counter == [0] * 9 + [1, 0, 1, 2, 3]
    assert returned == [False] * 13 + [True]
    assert best[-1] == 0.50048828125


def test_without_smoothing_small_gains_do_not_count():
    returned, _, best, _ = run([1.0, 0.95, 0.92, 0.905], alpha=1.0, patience=3, min_delta=0.1)
    assert returned == [False, False, False, True]
    assert best[-1] == 1.0


def test_defaults_smooth_and_keep_working_after_a_stop():
    returned, smoothed, best, _ = run([1, 2, 0.5, 0.5, 0.2], patience=2)
    assert smoothed == pytest.approx([1, 1.1, 1.04, 0.986, 0.9074], abs=1e-12)
    assert returned == [False, False, True, False, False]
    assert best == pytest.approx([1, 1, 1, 0.986, 0.9074], abs=1e-12)


def test_max_mode():
    values = [0.5, 0.6, 0.7, 0.7, 0.6, 0.6, 0.6]
    returned, smoothed, _, counter = run(values, mode="max", alpha=0.5, patience=2, min_delta=0.01)
    assert smoothed == pytest.approx([0.5, 0.55, 0.625, 0.6625, 0.63125, 0.615625, 0.6078125], abs=1e-12)
    assert counter == [0, 0, 0, 0, 1, 2, 3]
    assert returned == [False] * 5 + [True, True]


def test_a_tie_is_no_improvement():
    assert run([1, 1, 1], alpha=1.0, patience=2)[0] == [False, False, True]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_counts_but_does_not_poison_the_average(odd):
    returned, smoothed, best, counter = run([1, odd, 0.5, 0.4], alpha=0.5, patience=3)
    assert smoothed == pytest.approx([1, 1, 0.75, 0.575])
    assert counter == [0, 1, 0, 0]
    assert best[-1] == pytest.approx(0.575)
    assert returned == [False] * 4


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_it_recovers_from_a_first_value_that_is_not_finite(odd):
    returned, _, best, _ = run([odd, 0.5, 0.4, 0.3], alpha=1.0, patience=3)
    assert returned == [False] * 4
    assert best == [0.0, 0.5, 0.4, 0.3]


def test_on_nan():
    assert run([1, math.nan], patience=9, on_nan="stop")[0] == [False, True]
    with pytest.raises(DataError, match="finite"):
        run([1, math.nan], patience=9, on_nan="error")


def test_best_metric_is_zero_before_the_first_step_and_after_reset():
    stopping = EarlyStopping(EarlyStopConfig(patience=1))
    assert (stopping.best_metric(), stopping.best_epoch) == (0.0, None)
    stopping.step(0.5)
    assert (stopping.best_metric(), stopping.best_epoch) == (0.5, 0)
    stopping.reset()
    assert (stopping.best_metric(), stopping.smoothed, stopping.counter) == (0.0, None, 0)


def test_a_restored_state_continues_bit_for_bit():
    config = EarlyStopConfig(patience=3)
    values = [1.0, 0.9, 1.1, math.nan, 0.7, 0.8, 0.9, 0.95]
    whole = EarlyStopping(config)
    expected = [(whole.step(value), whole.smoothed, whole.best_epoch) for value in values]
    first, second = EarlyStopping(config), EarlyStopping(config)
    for value in values[:4]:
        first.step(value)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert [(second.step(value), second.smoothed, second.best_epoch) for value in values[4:]] == expected[4:]


@pytest.mark.parametrize(
    "config",
    [
        {"patience": 0},
        {"patience": 1, "alpha": 0.0},
        {"patience": 1, "alpha": 1.5},
        {"patience": 1, "min_delta": -0.1},
        {"patience": 1, "mode": "MAX"},
        {"patience": 1, "on_nan": "ignore"},
    ],
)
def test_settings_out_of_range_are_refused(config):
    with pytest.raises(ConfigError):
        EarlyStopConfig(**config)
