"""The loss scaler."""

import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError
from trainsmith.training.strategies import LossScaler


@pytest.mark.parametrize("capture", [True, False])
def test_the_scale_follows_the_pattern(capture):
    scaler = LossScaler(65536.0, growth_interval=3)
    update = ts.compile(scaler.update) if capture else scaler.update
    scales = []
    for overflow in (0, 0, 0, 1, 0, 0, 0, 0):
        update(ts.asarray(bool(overflow)))
        scales.append(scaler.scale)
    assert scales == [65536, 65536, 131072, 65536, 65536, 65536, 131072, 131072]


def test_the_scale_stays_between_its_bounds():
    scaler = LossScaler(2.0, growth_interval=1, max_scale=4.0)
    found = []
    for overflow in (True, True, True, False, False, False, False):
        scaler.update(overflow)
        found.append(scaler.scale)
    assert found == [1.0, 1.0, 1.0, 2.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    "arguments", [{"initial_scale": 0.5}, {"initial_scale": float("inf")}, {"growth_interval": 0}, {"max_scale": 2.0}]
)
def test_a_scaler_is_checked(arguments):
    with pytest.raises(ArgumentError, match="a scale starts at 1 or above"):
        LossScaler(**arguments)


def test_gradients_are_unscaled_by_the_scale_they_were_made_with():
    scaler = LossScaler(1024.0)
    weight, other = nn.Parameter(ts.asarray([1.0, 2.0])), nn.Parameter(ts.asarray([3.0]))
    scaler.scale_loss((weight * 3.0).sum()).backward()
    overflow = scaler.unscale_gradients([weight, other])
    assert (weight.grad.tolist(), bool(overflow)) == ([3.0, 3.0], False)
    weight.grad = ts.asarray([1.0, float("inf")])
    assert bool(scaler.unscale_gradients([weight, other]))
    assert float(scaler.unscaled(scaler.scale_loss(ts.asarray(0.75)))) == 0.75


def test_a_snapshot_puts_the_scaler_back():
    scaler, other = LossScaler(64.0, growth_interval=3), LossScaler(growth_interval=3)
    for overflow in (True, False, False):
        scaler.update(overflow)
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == {"scale": 32.0, "clean_steps": 2}
    scaler.update(False)
    other.update(False)
    assert (other.scale, scaler.scale) == (64.0, 64.0)
    for state in ({}, {"scale": 0.5, "clean_steps": 0}, {"scale": 2.0, "clean_steps": -1}):
        with pytest.raises(ArgumentError, match="a snapshot has a scale and a count"):
            other.load_state_dict(state)
