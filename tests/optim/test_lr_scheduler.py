"""Schedulers: one row each, their state, and what they do in captured steps."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, NonFiniteError

schedulers = optim.lr_scheduler


def sequence(optimizer):
    warmup = schedulers.LinearLR(optimizer, start_factor=0.1, total_iters=4)
    return schedulers.SequentialLR(optimizer, [warmup, schedulers.CosineAnnealingLR(optimizer, T_max=6)], [4])


def chain(optimizer):
    constant = schedulers.ConstantLR(optimizer, factor=0.5, total_iters=3)
    return schedulers.ChainedScheduler([constant, schedulers.ExponentialLR(optimizer, gamma=0.9)])


def one_cycle(t, top=2.0, first=0.5, last=0.05, steps=20, rise=0.3, three=False):
    def way(start, end, begin, finish):
        return end + (start - end) / 2 * (1 + math.cos(math.pi * (t - begin) / (finish - begin)))

    peak, foot = rise * steps - 1, 2 * rise * steps - 2
    if t <= peak:
        return way(first, top, 0, peak)
    if not three:
        return way(top, last, peak, steps - 1)
    return way(top, first, peak, foot) if t <= foot else way(first, last, foot, steps - 1)


def triangle(t, up=3, down=5):
    place = t % (up + down)
    return place / up if place <= up else 1 - (place - up) / down


def restarts(t):
    begin, length = 0, 2
    while t >= begin + length:
        begin, length = begin + length, length * 2
    return 0.1 + 0.9 * (1 + math.cos(math.pi * (t - begin) / length)) / 2


ONE_CYCLE = {"max_lr": 2.0, "total_steps": 20, "div_factor": 4.0, "final_div_factor": 10.0}
CYCLE = {"base_lr": 0.5, "max_lr": 2.0, "step_size_up": 3, "step_size_down": 5}

# How it is made, and the rate at step t for a first rate of 1.
ROWS = {
    "StepLR": (lambda o: schedulers.StepLR(o, 3, gamma=0.5), lambda t: 0.5 ** (t // 3)),
    "CosineAnnealingLR": (
        lambda o: schedulers.CosineAnnealingLR(o, 5, eta_min=0.2),
        lambda t: 0.2 + 0.8 * (1 + math.cos(math.pi * t / 5)) / 2,
    ),
    "LinearLR": (
        lambda o: schedulers.LinearLR(o, 0.5, 0.9, total_iters=4),
        lambda t: 0.5 + 0.4 * min(t, 4) / 4,
    ),
    "LinearLR at once": (lambda o: schedulers.LinearLR(o, 0.5, total_iters=0), lambda t: 1.0),
    "ConstantLR": (lambda o: schedulers.ConstantLR(o, 0.5, total_iters=4), lambda t: 0.5 if t < 4 else 1.0),
    "MultiStepLR": (
        lambda o: schedulers.MultiStepLR(o, [2, 5, 5], gamma=0.5),
        lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 5)),
    ),
    "ExponentialLR": (lambda o: schedulers.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    "PolynomialLR": (lambda o: schedulers.PolynomialLR(o, 8, power=2.0), lambda t: max(0.0, 1 - t / 8) ** 2),
    "CosineAnnealingWarmRestarts": (
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.1),
        restarts,
    ),
    "CyclicLR": (lambda o: schedulers.CyclicLR(o, **CYCLE), lambda t: 0.5 + 1.5 * triangle(t)),
    "CyclicLR triangular2": (
        lambda o: schedulers.CyclicLR(o, **CYCLE, mode="triangular2", cycle_momentum=False),
        lambda t: 0.5 + 1.5 * triangle(t) / 2 ** (t // 8),
    ),
    "CyclicLR exp_range": (
        lambda o: schedulers.CyclicLR(o, **CYCLE, mode="exp_range", gamma=0.9, cycle_momentum=False),
        lambda t: 0.5 + 1.5 * triangle(t) * 0.9**t,
    ),
    "OneCycleLR": (lambda o: schedulers.OneCycleLR(o, **ONE_CYCLE), one_cycle),
    "OneCycleLR three phases": (
        lambda o: schedulers.OneCycleLR(o, **ONE_CYCLE, three_phase=True, cycle_momentum=False),
        lambda t: one_cycle(t, three=True),
    ),
    "LambdaLR": (lambda o: schedulers.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
    "MultiplicativeLR": (
        lambda o: schedulers.MultiplicativeLR(o, lambda t: 1 - 1 / (2 + t)),
        lambda t: math.prod(1 - 1 / (2 + k) for k in range(1, t + 1)),
    ),
    "ChainedScheduler": (chain, lambda t: (0.5 if t < 3 else 1.0) * 0.9**t),
    "LinearWarmup": (lambda o: schedulers.LinearWarmup(o, 5), lambda t: min((t + 1) / 5, 1)),
    "LinearWarmup none": (lambda o: schedulers.LinearWarmup(o, 0), lambda t: 1.0),
    "InverseSqrtLR": (lambda o: schedulers.InverseSqrtLR(o, 4), lambda t: min((t + 1) / 4, (4 / (t + 1)) ** 0.5)),
    "WarmupStableDecayLR": (
        lambda o: schedulers.WarmupStableDecayLR(o, 2, 3, 4, min_factor=0.2),
        lambda t: min((t + 1) / 2, 1) if t < 5 else 1 - 0.8 * min((t - 5) / 4, 1),
    ),
    "SequentialLR": (
        sequence,
        lambda t: 0.1 + 0.9 * t / 4 if t < 4 else (1 + math.cos(math.pi * (t - 4) / 6)) / 2,
    ),
}
TABLE = pytest.mark.parametrize(("make", "rate"), ROWS.values(), ids=ROWS)
# Rows whose scheduler is made of functions or other schedulers, which its state cannot give back.
COMPOSED = ("SequentialLR", "ChainedScheduler", "LambdaLR", "MultiplicativeLR")


def optimizer_of(lr=1.0, second=10.0):
    first, last = nn.Linear(1, 1), nn.Linear(1, 1)
    return optim.SGD([{"params": first.parameters()}, {"params": last.parameters(), "lr": second}], lr=lr)


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def test_every_scheduler_has_a_row():
    assert set(schedulers.__all__) - {"LRScheduler", "ReduceLROnPlateau"} == {name.split()[0] for name in ROWS}


@TABLE
def test_rates_follow_the_formula(make, rate):
    optimizer = optimizer_of()
    scheduler = make(optimizer)
    for step in range(12):
        np.testing.assert_allclose(rates(optimizer)[0], rate(step), rtol=1e-12, atol=1e-15)
        assert scheduler.get_last_lr() == rates(optimizer)
        assert scheduler.last_epoch == step
        scheduler.step()


def test_groups_start_from_their_own_rates():
    optimizer = optimizer_of()
    scheduler = schedulers.CosineAnnealingLR(optimizer, 4, eta_min=0.2)
    for _ in range(2):
        scheduler.step()
    np.testing.assert_allclose(rates(optimizer), [0.6, 5.1], rtol=1e-12)
    assert scheduler.base_lrs == [1.0, 10.0]


@TABLE
def test_a_resumed_scheduler_goes_on(make, rate):
    optimizer = optimizer_of()
    scheduler = make(optimizer)
    for _ in range(5):
        scheduler.step()
    states = optimizer.state_dict(), scheduler.state_dict()
    again = optimizer_of(lr=0.5)
    other = make(again)
    again.load_state_dict(states[0])
    other.load_state_dict(states[1])
    assert rates(again) == rates(optimizer)
    for _ in range(5):
        scheduler.step()
        other.step()
        assert rates(again) == rates(optimizer)
        assert other.get_last_lr() == scheduler.get_last_lr()


@TABLE
def test_a_scheduler_may_start_late(make, rate):
    optimizer = optimizer_of()
    scheduler = make(optimizer)
    for _ in range(3):
        scheduler.step()
    optimizer.param_groups[0]["lr"] = 123.0
    if make not in [ROWS[name][0] for name in COMPOSED]:
        kind, options = type(scheduler), {k: v for k, v in scheduler.state_dict().items() if k[0] != "_"}
        options = {k: v for k, v in options.items() if k not in ("base_lrs", "last_epoch")}
        late = kind(optimizer, **options, last_epoch=2)
        assert late.last_epoch == 3
    else:
        scheduler._set_rates()
    np.testing.assert_allclose(rates(optimizer)[0], rate(3), rtol=1e-12)


@TABLE
def test_captured_steps_step_the_scheduler_at_every_call(make, rate):
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    scheduler = make(optimizer)

    @ts.compile
    def step(x):
        optimizer.zero_grad()
        (model(x) * 0).sum().backward()
        optimizer.step()
        scheduler.step()

    for count in range(1, 8):
        step(ts.ones((1, 1)))
        np.testing.assert_allclose(rates(optimizer), [rate(count)], rtol=1e-12, atol=1e-15)
        assert scheduler.last_epoch == count
    assert len(step.plans) == 1


@TABLE
def test_a_captured_step_that_fails_takes_the_scheduler_back(make, rate):
    param = nn.Parameter(ts.zeros(1))
    optimizer = optim.SGD([param], lr=1.0)
    scheduler = make(optimizer)

    @ts.compile
    def step(x):
        optimizer.zero_grad()
        (param * x).sum().backward()
        optimizer.step()
        scheduler.step()

    step(ts.ones(1))
    before = rates(optimizer), scheduler.last_epoch, scheduler.get_last_lr()
    with pytest.raises(NonFiniteError):
        step(ts.asarray([math.nan]))
    assert (rates(optimizer), scheduler.last_epoch, scheduler.get_last_lr()) == before
    step(ts.ones(1))
    assert scheduler.last_epoch == 2


def test_captured_training_follows_the_schedule_like_eager_training():
    x = ts.asarray(np.random.default_rng(0).normal(size=(8, 1)))
    final = []
    for compiled in (False, True):
        ts.manual_seed(0)
        model = nn.Linear(1, 1, dtype=ts.float64)
        optimizer = optim.AdamW(model.parameters(), lr=0.1)
        scheduler = sequence(optimizer)

        def step(x, model=model, optimizer=optimizer, scheduler=scheduler):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), x * 2)
            loss.backward()
            optimizer.step()
            scheduler.step()
            return loss

        step = ts.compile(step) if compiled else step
        losses = [float(step(x)) for _ in range(15)]
        final.append([*losses, float(model.weight), *rates(optimizer)])
    np.testing.assert_allclose(final[1], final[0], rtol=1e-10)


BAD = {
    "step_size": lambda o: schedulers.StepLR(o, 0),
    "T_max": lambda o: schedulers.CosineAnnealingLR(o, 0),
    "start_factor": lambda o: schedulers.LinearLR(o, start_factor=0.0),
    "end_factor": lambda o: schedulers.LinearLR(o, end_factor=1.5),
    "at least one": lambda o: schedulers.SequentialLR(o, [], []),
    "milestones": lambda o: schedulers.SequentialLR(o, [schedulers.StepLR(o, 1)], [3]),
    "growing": lambda o: schedulers.SequentialLR(o, [schedulers.StepLR(o, 1) for _ in range(3)], [3, 2]),
    "of this optimizer": lambda o: schedulers.SequentialLR(o, [schedulers.StepLR(optimizer_of(), 1)], []),
    "initial_lr": lambda o: schedulers.StepLR(o, 1, last_epoch=3),
}


@pytest.mark.parametrize("message", BAD)
def test_arguments_are_checked(message):
    with pytest.raises(ArgumentError, match=message):
        BAD[message](optimizer_of())


def test_state_of_another_scheduler_is_refused():
    optimizer = optimizer_of()
    step, cosine = schedulers.StepLR(optimizer, 2), schedulers.CosineAnnealingLR(optimizer, 2)
    with pytest.raises(ArgumentError, match=r"missing \['gamma', 'step_size'\], unknown \['T_max', 'eta_min'\]"):
        step.load_state_dict(cosine.state_dict())
    with pytest.raises(ArgumentError, match="one base rate for each of 2 groups"):
        step.load_state_dict({**step.state_dict(), "base_lrs": [1.0]})
    with pytest.raises(ArgumentError, match="the state of 2 schedulers"):
        sequence(optimizer).load_state_dict(step.state_dict())


def test_keys_that_only_torch_has_are_passed_over():
    scheduler = schedulers.StepLR(optimizer_of(), 2)
    state = {**scheduler.state_dict(), "_step_count": 3, "_get_lr_called_within_step": False, "verbose": False}
    scheduler.load_state_dict({**state, "last_epoch": 2, "gamma": 0.3})
    assert (scheduler.last_epoch, scheduler.gamma) == (2, 0.3)
    scheduler.step()
    assert scheduler.get_last_lr()[0] == pytest.approx(0.3)
