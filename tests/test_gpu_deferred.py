"""Captured steps on a GPU that nobody waits for: what fails changes nothing, and whoever reads next is told."""

import os

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import NonFiniteError

pytestmark = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)


def make(make_optimizer=lambda parameters: optim.AdamW(parameters, lr=1e-2), device="gpu"):
    ts.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)).to(device)
    optimizer = make_optimizer(model.parameters())

    @ts.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


def batch(seed, bad=None, device="gpu"):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(16, 6)).astype("float32"), rng.integers(0, 3, size=16)
    if bad == "nan":
        x[3, 2] = np.nan
    if bad == "label":
        y[5] = 7
    return ts.asarray(x, device=device), ts.asarray(y, device=device)


def values(model):
    return [np.asarray(value).copy() for value in model.state_dict().values()]


def reads():
    return ts.debug.counters()["gpu_reads"]


def test_steps_wait_for_nobody_until_a_loss_is_read():
    _, _, step = make()
    x, y = batch(0)
    float(step(x, y))
    before = reads()
    losses = [step(x, y) for _ in range(20)]
    assert reads() == before
    assert float(losses[-1]) < float(losses[0])
    assert reads() == before + 2


@pytest.mark.parametrize(("bad", "error"), [("nan", NonFiniteError), ("label", IndexError)])
def test_a_failed_step_and_those_after_it_change_nothing(bad, error):
    model, optimizer, step = make()
    good = [batch(seed) for seed in range(4)]
    for pair in good[:3]:
        step(*pair)
    before, moments = values(model), optimizer.state_dict()
    wrong = batch(9, bad)
    for pair in (wrong, good[3], good[3]):
        loss = step(*pair)
    with pytest.raises(error, match=r"in call 4 of the step; it and the 2 calls after it changed nothing"):
        float(loss)
    for value, expected in zip(values(model), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    steps = [state["step"] for state in optimizer.state_dict()["state"].values()]
    assert steps == [state["step"] for state in moments["state"].values()] == [3] * len(steps)

    # What follows is what an optimizer does that never saw the bad batch.
    _, _, other = make()
    for pair in good[:3]:
        other(*pair)
    expected = [float(other(*good[3])) for _ in range(2)]
    assert [float(step(*good[3])) for _ in range(2)] == expected
    with pytest.raises(error, match=r"in call 9 of the step"):
        float(step(*wrong))


def test_an_error_names_the_first_check_that_failed_and_its_line():
    texts = []
    for device in ("cpu", "gpu"):
        _, _, step = make(device=device)
        float(step(*batch(0, device=device)))
        with pytest.raises(IndexError) as caught:
            float(step(*batch(1, "label", device=device)))
        texts.append(str(caught.value))
    assert texts[1].replace(", in call 2 of the step", "") == texts[0]


def test_any_reader_is_told():
    model, _, step = make()
    step(*batch(0))
    step(*batch(1, "nan"))
    with pytest.raises(NonFiniteError):
        np.asarray(ts.ones(3, device="gpu") + 1)
    step(*batch(1, "nan"))
    with pytest.raises(NonFiniteError):
        model.state_dict()["0.weight"].to("cpu")
    assert np.isfinite(values(model)[0]).all()


def test_nobody_reads_for_long_and_is_told_all_the_same():
    _, _, step = make()
    step(*batch(0))
    wrong = batch(1, "nan")
    for _ in range(63):
        step(*wrong)
    with pytest.raises(NonFiniteError, match=r"in call 2 of the step; it and the 62 calls after it"):
        step(*wrong)
    assert np.isfinite(float(step(*batch(0))))


def test_a_step_whose_host_cannot_go_back_far_waits():
    model, optimizer, step = make(lambda parameters: optim.NAdam(parameters, lr=1e-2))
    float(step(*batch(0)))
    before = values(model)
    with pytest.raises(NonFiniteError):
        step(*batch(1, "nan"))
    for value, expected in zip(values(model), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert {state["step"] for state in optimizer.state_dict()["state"].values()} == {1}


def test_gradients_that_stay_are_known_to_be_good():
    ts.manual_seed(0)
    layer = nn.Linear(6, 3).to("gpu")
    step = ts.compile(lambda x, y: nn.functional.cross_entropy(layer(x), y).backward())
    x, y = batch(0)
    step(x, y)
    before = np.asarray(layer.weight.grad).copy()
    with pytest.raises(IndexError):
        step(*batch(1, "label"))
    np.testing.assert_array_equal(np.asarray(layer.weight.grad), before)


def test_losses_that_are_read_together_wait_once():
    from trainsmith._core import numbers

    _, _, step = make()
    losses = [step(*batch(seed)) for seed in range(6)]
    before = reads()
    together = numbers([*losses, 2.5, ts.asarray(3.0)])
    assert reads() == before + 1
    assert together == [*(float(loss) for loss in losses), 2.5, 3.0]
