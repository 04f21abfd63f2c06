"""Steps that are skipped where a flag is true."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import DTypeError, NonFiniteError

KINDS = ["SGD", "AdamW", "NAdam", "Adafactor", "AdamW8bit", "RMSprop", "Muon"]
X = ts.asarray(np.random.default_rng(0).normal(size=(6, 3)), dtype=ts.float32)


def made(kind):
    ts.manual_seed(0)
    model = nn.Linear(3, 4, bias=kind != "Muon")
    options = {"lr": 0.1, "momentum": 0.9} if kind == "SGD" else {}
    return model, getattr(optim, kind)(model.parameters(), **options)


def state(model, optimizer):
    found = [np.asarray(one) for one in model.state_dict().values()]
    for one in optimizer.state_dict()["state"].values():
        found += [np.asarray(value) for value in one.values()]
    return found


def stepper(model, optimizer, capture):
    def step(x, factor, skip):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        for one in model.parameters():
            one.grad = one.grad * factor
        optimizer.step(skip=skip)

    return ts.compile(step) if capture else step


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("capture", [True, False])
def test_a_skipped_step_changes_nothing(kind, capture):
    model, optimizer = made(kind)
    twin, other = made(kind)
    step, same = stepper(model, optimizer, capture), stepper(twin, other, capture)
    one, infinite, no, yes = ts.asarray(1.0), ts.asarray(float("inf")), ts.asarray(False), ts.asarray(True)
    if not capture:
        step(X, infinite, yes)
    step(X, one, no)
    before = state(model, optimizer)
    for factor in (one, infinite, ts.asarray(float("nan"))):
        step(X, factor, yes)
        for a, b in zip(state(model, optimizer), before, strict=True):
            np.testing.assert_array_equal(a, b)
    step(X, one, no)
    for _ in range(2):
        same(X, one, no)
    for a, b in zip(state(model, optimizer), state(twin, other), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(NonFiniteError):
        step(X, infinite, no)


def test_a_first_step_may_be_skipped():
    model, optimizer = made("AdamW")
    before = np.asarray(model.weight)
    step = stepper(model, optimizer, True)
    step(X, ts.asarray(float("nan")), ts.asarray(True))
    np.testing.assert_array_equal(np.asarray(model.weight), before)
    assert float(optimizer.state_dict()["state"][0]["step"]) == 0
    step(X, ts.asarray(1.0), ts.asarray(False))
    twin, other = made("AdamW")
    stepper(twin, other, False)(X, ts.asarray(1.0), ts.asarray(False))
    np.testing.assert_allclose(np.asarray(model.weight), np.asarray(twin.weight), rtol=1e-6)


@pytest.mark.parametrize("flag", [ts.asarray(1.0), ts.asarray([True])])
def test_a_flag_is_one_bool(flag):
    model, optimizer = made("SGD")
    model(X).sum().backward()
    with pytest.raises(DTypeError, match=r"a bool tensor of shape \(\)"):
        optimizer.step(skip=flag)
