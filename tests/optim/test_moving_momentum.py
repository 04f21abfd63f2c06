"""Schedulers that move momentum with the rate, functions of the user, and the plateau."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, GraphError, NonFiniteError

schedulers = optim.lr_scheduler


def optimizer_of(kind=optim.SGD, **options):
    return kind([nn.Parameter(ts.zeros(1))], **{"lr": 1.0, **options})


MOMENTUM = {
    "CyclicLR": (
        lambda o: schedulers.CyclicLR(o, 0.1, 1.0, step_size_up=2, base_momentum=0.5, max_momentum=0.9),
        [0.9, 0.7, 0.5, 0.7, 0.9, 0.7],
    ),
    "OneCycleLR": (
        lambda o: schedulers.OneCycleLR(
            o, 1.0, total_steps=9, pct_start=1 / 3, anneal_strategy="linear", base_momentum=0.5, max_momentum=0.9
        ),
        [0.9, 0.7, 0.5, 0.5 + 0.4 / 6, 0.5 + 0.8 / 6, 0.7],
    ),
}


@pytest.mark.parametrize(("make", "momenta"), MOMENTUM.values(), ids=MOMENTUM)
@pytest.mark.parametrize(("kind", "options"), [(optim.SGD, {"momentum": 0.3}), (optim.Adam, {"betas": (0.3, 0.77)})])
@pytest.mark.parametrize("compiled", [False, True])
def test_momentum_or_the_first_beta_moves(make, momenta, kind, options, compiled):
    optimizer = optimizer_of(kind, **options)
    scheduler = make(optimizer)
    param = optimizer.parameters()[0]

    def step(x):
        optimizer.zero_grad()
        (param * x).sum().backward()
        optimizer.step()
        scheduler.step()

    step = ts.compile(step) if compiled else step
    group = optimizer.param_groups[0]
    for turn, momentum in enumerate(momenta):
        assert (group["momentum"] if "momentum" in options else group["betas"][0]) == pytest.approx(momentum)
        if compiled and turn == 2:
            before = dict(group)
            with pytest.raises(NonFiniteError):
                step(ts.asarray(math.nan))
            assert {key: group[key] for key in before} == before
        step(ts.asarray(1.0))
    assert kind is optim.SGD or group["betas"][1] == 0.77


def test_momentum_needs_an_optimizer_that_has_it():
    for make in (
        lambda o: schedulers.CyclicLR(o, 0.1, 1.0),
        lambda o: schedulers.OneCycleLR(o, 1.0, total_steps=9),
    ):
        with pytest.raises(ArgumentError, match="pass cycle_momentum=False"):
            make(optimizer_of(optim.Adagrad))


def test_a_cycle_ends():
    scheduler = schedulers.OneCycleLR(optimizer_of(), 1.0, epochs=2, steps_per_epoch=2)
    for _ in range(4):
        scheduler.step()
    for _ in range(2):
        with pytest.raises(ArgumentError, match="at most 4 steps"):
            scheduler.step()
    assert scheduler.last_epoch == 4


def test_a_scale_of_the_user():
    options = {"step_size_up": 2, "cycle_momentum": False}
    by_cycle = schedulers.CyclicLR(optimizer_of(), 0.0, 1.0, **options, scale_fn=lambda cycle: 1 / cycle)
    by_step = schedulers.CyclicLR(
        optimizer_of(), 0.0, 1.0, **options, scale_fn=lambda step: 0.9**step, scale_mode="iterations"
    )
    heights = [0, 0.5, 1, 0.5] * 2
    for step, height in enumerate(heights):
        assert by_cycle.get_last_lr() == [pytest.approx(height / (1 + step // 4))]
        assert by_step.get_last_lr() == [pytest.approx(height * 0.9**step)]
        by_cycle.step()
        by_step.step()
    assert "_scale_fn" not in by_step.state_dict()


def test_groups_have_bounds_and_functions_of_their_own():
    params = [nn.Parameter(ts.zeros(1)) for _ in range(2)]
    optimizer = optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 10.0}], lr=1.0)
    cyclic = schedulers.CyclicLR(optimizer, [0.0, 1.0], [1.0, 3.0], step_size_up=2, cycle_momentum=False)
    cyclic.step()
    assert cyclic.get_last_lr() == [0.5, 2.0]
    optimizer = optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 10.0}], lr=1.0)
    scheduler = schedulers.LambdaLR(optimizer, [lambda t: 1.0, lambda t: 0.5])
    assert scheduler.get_last_lr() == [1.0, 5.0]
    for bad in (
        lambda: schedulers.LambdaLR(optimizer, [lambda t: 1.0]),
        lambda: schedulers.CyclicLR(optimizer, [0.1], 1.0),
        lambda: schedulers.ReduceLROnPlateau(optimizer, min_lr=[0.1]),
    ):
        with pytest.raises(ArgumentError, match="one for each of 2 groups"):
            bad()


def test_schedulers_with_bounds_of_their_own_follow_a_warmup():
    optimizer = optimizer_of()
    warmup = schedulers.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    cyclic = schedulers.CyclicLR(optimizer, 0.2, 0.4, step_size_up=2, cycle_momentum=False)
    scheduler = schedulers.SequentialLR(optimizer, [warmup, cyclic], [2])
    seen = []
    for _ in range(5):
        seen += scheduler.get_last_lr()
        scheduler.step()
    np.testing.assert_allclose(seen, [0.5, 0.75, 0.2, 0.3, 0.4])


BAD = {
    "factor": lambda o: schedulers.ConstantLR(o, factor=1.5),
    "milestones": lambda o: schedulers.MultiStepLR(o, [3, 2]),
    "gamma": lambda o: schedulers.ExponentialLR(o, -0.1),
    "total_iters": lambda o: schedulers.PolynomialLR(o, -1),
    "T_mult": lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2, T_mult=0),
    "whole T_0": lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2.5),
    "step_size_up": lambda o: schedulers.CyclicLR(o, 0.1, 1.0, step_size_up=0),
    "mode": lambda o: schedulers.CyclicLR(o, 0.1, 1.0, mode="square"),
    "scale_mode": lambda o: schedulers.CyclicLR(o, 0.1, 1.0, scale_mode="epoch"),
    "total_steps": lambda o: schedulers.OneCycleLR(o, 1.0),
    "pct_start": lambda o: schedulers.OneCycleLR(o, 1.0, total_steps=3, pct_start=1.5),
    "anneal_strategy": lambda o: schedulers.OneCycleLR(o, 1.0, total_steps=3, anneal_strategy="exp"),
    "warmup_steps": lambda o: schedulers.LinearWarmup(o, -1),
    "warmup_steps of": lambda o: schedulers.InverseSqrtLR(o, -1),
    "min_factor": lambda o: schedulers.WarmupStableDecayLR(o, 1, 1, 1, min_factor=-0.1),
    "decay to be": lambda o: schedulers.WarmupStableDecayLR(o, 1, 1, 1, decay="exp"),
    "at least one": lambda o: schedulers.ChainedScheduler([]),
    "of this optimizer": lambda o: schedulers.ChainedScheduler([schedulers.LinearWarmup(optimizer_of(), 1)], o),
    "factor in": lambda o: schedulers.ReduceLROnPlateau(o, factor=1.0),
    "'min' or 'max'": lambda o: schedulers.ReduceLROnPlateau(o, mode="least"),
    "patience": lambda o: schedulers.ReduceLROnPlateau(o, patience=-1),
}


@pytest.mark.parametrize("message", BAD)
def test_arguments_are_checked(message):
    with pytest.raises(ArgumentError, match=message):
        BAD[message](optimizer_of())


# Options, metrics, and the rate after each.
PLATEAU = {
    "patience": ({"factor": 0.5, "patience": 1}, [3, 2, 2, 2, 2, 2], [1, 1, 1, 0.5, 0.5, 0.25]),
    "max": ({"mode": "max", "factor": 0.5, "patience": 0}, [1, 2, 1, 3], [1, 1, 0.5, 0.5]),
    "nan": ({"factor": 0.5, "patience": 0}, [1, math.nan, 0.5], [1, 0.5, 0.5]),
    "cooldown": ({"factor": 0.5, "patience": 0, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.5, 0.25]),
    "relative": ({"factor": 0.5, "patience": 0, "threshold": 0.1}, [10, 9.5, 8.9], [1, 0.5, 0.5]),
    "relative max": ({"mode": "max", "factor": 0.5, "patience": 0, "threshold": 0.1}, [10, 10.5, 11.5], [1, 0.5, 0.5]),
    "absolute": (
        {"factor": 0.5, "patience": 0, "threshold": 1.0, "threshold_mode": "abs"},
        [10, 9.5, 8.9],
        [1, 0.5, 0.5],
    ),
    "least rate": ({"factor": 0.1, "patience": 0, "min_lr": 0.3}, [1, 1, 1], [1, 0.3, 0.3]),
    "least change": ({"factor": 0.9, "patience": 0, "eps": 0.2}, [1, 1, 1], [1, 1, 1]),
}


@pytest.mark.parametrize(("options", "metrics", "rates"), PLATEAU.values(), ids=PLATEAU)
def test_a_plateau_lowers_the_rate(options, metrics, rates):
    optimizer = optimizer_of()
    scheduler = schedulers.ReduceLROnPlateau(optimizer, **options)
    half = len(metrics) // 2
    for turn, (metric, rate) in enumerate(zip(metrics, rates)):
        if turn == half:
            state, again = scheduler.state_dict(), optimizer_of(lr=optimizer.param_groups[0]["lr"])
            optimizer, scheduler = again, schedulers.ReduceLROnPlateau(again)
            scheduler.load_state_dict({**state, "mode_worse": math.inf})
        scheduler.step(ts.asarray(metric) if turn % 2 else metric)
        assert scheduler.get_last_lr() == [pytest.approx(rate)]
        assert optimizer.param_groups[0]["lr"] == pytest.approx(rate)


def test_a_plateau_in_a_compiled_function():
    optimizer = optimizer_of()
    scheduler = schedulers.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    param = optimizer.parameters()[0]

    @ts.compile
    def step(x, metric):
        optimizer.zero_grad()
        (param * x).sum().backward()
        optimizer.step()
        scheduler.step(metric)

    for rate in (1.0, 0.5, 0.25):
        step(ts.ones(1), 2.0)
        assert optimizer.param_groups[0]["lr"] == rate
    with pytest.raises(NonFiniteError):
        step(ts.asarray([math.nan]), 2.0)
    assert (optimizer.param_groups[0]["lr"], scheduler.last_epoch) == (0.25, 3)
    with pytest.raises(GraphError, match="a number inside compiled functions"):
        step(ts.ones(1), ts.asarray(2.0))


def test_a_plateau_refuses_the_state_of_another():
    scheduler = schedulers.ReduceLROnPlateau(optimizer_of())
    with pytest.raises(ArgumentError, match="missing"):
        scheduler.load_state_dict(schedulers.LinearWarmup(optimizer_of(), 2).state_dict())


def test_numbers_of_the_specification():
    warmup = schedulers.LinearWarmup(optimizer_of(lr=1e-3), 5)
    rates = []
    for _ in range(7):
        rates += warmup.get_last_lr()
        warmup.step()
    np.testing.assert_allclose(rates, [2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3, 1e-3])
    optimizer = optimizer_of(lr=0.01)
    plateau = schedulers.ReduceLROnPlateau(optimizer, factor=0.1, patience=2, threshold=0)
    rates = []
    for metric in (1, 0.9, *[0.8] * 7):
        plateau.step(metric)
        rates += plateau.get_last_lr()
    np.testing.assert_allclose(rates, [0.01] * 5 + [1e-3] * 3 + [1e-4])
