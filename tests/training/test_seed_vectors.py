"""Values that the original's documentation gives for early stopping, schedules and AdamW, under our names."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ConfigError
from trainsmith.training import EarlyStopConfig, EarlyStopping

schedulers = optim.lr_scheduler


def stopping(values, **config):
    one = EarlyStopping(EarlyStopConfig(**config))
    return [one.step(value) for value in values], one


def formula(values, *, alpha, patience, min_delta=0.0, mode="min"):
    """The rule as the original writes it, for finite values."""
    smoothed = best = None
    counter, rows = 0, []
    for value in values:
        if smoothed is None:
            smoothed = best = value
            rows.append((False, smoothed, best, counter))
            continue
        smoothed = alpha * value + (1 - alpha) * smoothed
        gain = best - smoothed if mode == "min" else smoothed - best
        best, counter = (smoothed, 0) if gain > min_delta else (best, counter + 1)
        rows.append((counter >= patience, smoothed, best, counter))
    return rows


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("min_delta", [0.0, 0.01])
def test_finite_values_give_the_bits_of_the_originals_formula(mode, alpha, min_delta):
    values = np.random.default_rng(0).normal(size=200).cumsum().tolist()
    one = EarlyStopping(EarlyStopConfig(alpha=alpha, patience=3, min_delta=min_delta, mode=mode))
    got = [(one.step(value), one.smoothed, one.best_metric(), one.counter) for value in values]
    assert got == formula(values, alpha=alpha, patience=3, min_delta=min_delta, mode=mode)


def test_t1_a_plateau_stops_at_call_13():
    returned, one = stopping([1.0] + [0.5] * 13, alpha=0.5, patience=3, min_delta=0.001)
    assert returned.index(True) == 13
    assert one.best_metric() == 0.50048828125
    assert one.smoothed == 0.50006103515625


def test_t2_t3_t4_t7():
    assert stopping([1.0, 0.95, 0.92, 0.905], alpha=1.0, patience=3, min_delta=0.1)[0] == [False, False, False, True]
    assert stopping([1, 2, 0.5, 0.5, 0.2], patience=2)[0] == [False, False, True, False, False]
    values = [0.5, 0.6, 0.7, 0.7, 0.6, 0.6, 0.6]
    assert stopping(values, mode="max", alpha=0.5, patience=2, min_delta=0.01)[0].index(True) == 5
    assert stopping([1, 1, 1], alpha=1.0, patience=2)[0] == [False, False, True]


def test_t5_patience_0_is_refused():
    with pytest.raises(ConfigError, match="patience"):
        EarlyStopConfig(patience=0)


def test_t6_t8_t9_values_that_are_not_finite_do_not_poison():
    assert stopping([1, math.nan, 0.5, 0.4], alpha=0.5, patience=3)[0] == [False] * 4
    for first in (math.nan, math.inf):
        returned, one = stopping([first, 0.5, 0.4, 0.3], alpha=1.0, patience=3)
        assert (returned, one.best_metric()) == ([False] * 4, 0.3)


def test_t10_t11_the_start_and_the_defaults():
    one = EarlyStopping(EarlyStopConfig(patience=1))
    assert one.best_metric() == 0
    one.step(0.5)
    assert one.best_metric() == 0.5
    one.reset()
    assert one.best_metric() == 0
    assert (one.config.alpha, one.config.mode) == (0.1, "min")
    with pytest.raises(ConfigError, match="mode"):
        EarlyStopConfig(patience=1, mode="MAX")


@pytest.mark.parametrize(("mode", "baseline"), [("min", 0.5), ("max", -0.5)])
def test_a_baseline_must_be_beaten(mode, baseline):
    sign = 1 if mode == "min" else -1
    values = [sign * value for value in (0.9, 0.6, 0.5, 0.4, 0.45)]
    returned, one = stopping(values, alpha=1.0, patience=4, mode=mode, baseline=baseline)
    assert (returned, one.best_metric(), one.best_epoch) == ([False] * 5, sign * 0.4, 3)
    assert stopping(values[:3], alpha=1.0, patience=3, mode=mode, baseline=baseline)[0] == [False, False, True]


def optimizer(rate):
    return optim.SGD([nn.Parameter(ts.zeros(1))], lr=rate)


def rates(scheduler, count, *losses):
    found = []
    for place in range(count):
        if losses:
            scheduler.step(losses[0][place])
            found.append(scheduler.get_last_lr()[0])
        else:
            found.append(scheduler.get_last_lr()[0])
            scheduler.step()
    return found


def test_cosine():
    found = rates(schedulers.CosineAnnealingLR(optimizer(0.01), T_max=10, eta_min=1e-4), 21)
    expected = {0: 0.01, 1: 0.009757729755661011, 2: 0.00905463412215599, 3: 0.007959536998847742, 5: 0.00505}
    expected |= {7: 0.0021404630011522584, 9: 0.00034227024433899, 10: 0.0001, 11: 0.00034227024433899, 15: 0.00505}
    for epoch, rate in {**expected, 20: 0.01}.items():
        assert found[epoch] == pytest.approx(rate, rel=1e-12)
    found = rates(schedulers.CosineAnnealingWarmRestarts(optimizer(0.01), T_0=10, eta_min=1e-4), 26)
    assert [found[10], found[11], found[25]] == pytest.approx([0.01, 0.009757729755661011, 0.00505], rel=1e-12)


# The original lowers the rate after `patience` bad epochs, torch after more than `patience`: ours is one less.
@pytest.mark.parametrize(
    ("options", "losses", "expected"),
    [
        ({"factor": 0.1, "patience": 2}, [1, 0.9] + [0.8] * 7, [0.01] * 5 + [0.001] * 3 + [0.0001]),
        (
            {"factor": 0.5, "patience": 0, "min_lr": 0.001},
            [5] * 8,
            [0.01, 0.005, 0.0025, 0.00125, 0.001, 0.001, 0.001, 0.001],
        ),
        ({"mode": "max", "factor": 0.5, "patience": 2}, [0.5, 0.6, 0.7, 0.7, 0.7, 0.7], [0.01] * 5 + [0.005]),
        ({"factor": 0.5, "patience": 1}, [1, math.nan, math.nan, 0.5], [0.01, 0.01, 0.005, 0.005]),
        ({"factor": 0.5, "patience": 0}, [1, 1, 0.5, 0.6], [0.01, 0.005, 0.005, 0.0025]),
    ],
)
def test_plateau(options, losses, expected):
    scheduler = schedulers.ReduceLROnPlateau(optimizer(0.01), threshold=0.0, **options)
    assert rates(scheduler, len(losses), losses) == pytest.approx(expected, rel=1e-9)


def test_warm_up():
    scheduler = schedulers.LinearLR(optimizer(1e-3), start_factor=1 / 5, total_iters=4)
    assert rates(scheduler, 7) == pytest.approx([0.0002, 0.0004, 0.0006, 0.0008, 0.001, 0.001, 0.001], rel=1e-12)


def test_adamw_over_three_steps_in_float64():
    parameter = nn.Parameter(ts.asarray([1.0, -2.0], dtype=ts.float64))
    one = optim.AdamW([parameter], lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    expected = [
        [0.9989900000999999, -1.99898000005],
        [0.9980622291220549, -1.9986936732271863],
        [0.9977943447066057, -1.9986122974323044],
    ]
    for gradient, values in zip([[0.1, -0.2], [0.3, 0.1], [-0.2, 0.05]], expected):
        parameter.grad = ts.asarray(gradient, dtype=ts.float64)
        one.step()
        assert parameter.tolist() == pytest.approx(values, rel=1e-14)
    state = one.state_dict()["state"][0]
    assert state["exp_avg"].tolist() == pytest.approx([0.0151, -0.0022], rel=1e-12)
    assert state["exp_avg_sq"].tolist() == pytest.approx([1.3989001e-4, 5.241004e-5], rel=1e-12)


def test_clipping_scales_without_overflow():
    def clipped(values, bound):
        parameter = nn.Parameter(ts.zeros(len(values)))
        parameter.grad = ts.asarray(values)
        nn.utils.clip_grad_norm_([parameter], bound)
        return parameter.grad.tolist()

    assert clipped([3.0, 4.0], 2.5) == pytest.approx([1.5, 2.0], rel=1e-6)
    assert clipped([1.0, 2.0], 5.0) == [1.0, 2.0]
    assert clipped([1e20], 1.0) == pytest.approx([1.0], rel=1e-6)
