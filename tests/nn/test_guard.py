"""What makes captured steps record again: attributes, hooks and slots do, the mode is part of the guard."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn

CHANGES = {
    "plain attribute": lambda m: setattr(m, "width", 7),
    "container": lambda m: setattr(m, "sizes", (1, [2.0, {"a": "c"}])),
    "new attribute": lambda m: setattr(m, "depth", 1),
    "deleted attribute": lambda m: delattr(m, "width"),
    "parameter": lambda m: setattr(m, "factor", nn.Parameter(ts.ones(1))),
    "parameter gone": lambda m: setattr(m, "factor", None),
    "buffer": lambda m: m.register_buffer("new", ts.ones(1)),
    "buffer of another shape": lambda m: setattr(m, "shift", ts.ones(2)),
    "sub-module": lambda m: setattr(m, "layer", nn.Linear(1, 1)),
    "hook": lambda m: m.register_forward_hook(lambda *_: None),
    "pre-hook": lambda m: m.register_forward_pre_hook(lambda *_: None),
    "tensor attribute": lambda m: setattr(m, "table", ts.ones(3)),
    "dtype": lambda m: m.double(),
}

NO_CHANGES = {
    "same value": lambda m: setattr(m, "width", 3),
    "value of a buffer": lambda m: setattr(m, "shift", ts.ones(1)),
    "value of a parameter": lambda m: nn.init.ones_(m.factor),
    "equal containers": lambda m: setattr(m, "sizes", (1, [2.0, {"a": "b"}])),
    "same parameter": lambda m: setattr(m, "factor", m.factor),
    "gradient": lambda m: m.zero_grad(),
    "state": lambda m: m.load_state_dict(m.state_dict()),
}


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.width = 3
        self.sizes = (1, [2.0, {"a": "b"}])
        self.factor = nn.Parameter(ts.ones(1))
        self.register_buffer("shift", ts.zeros(1))
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x) * self.factor + self.shift + self.width


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_raise_the_version(change):
    part = Part()
    before = part._guard()
    change(part)
    assert part._guard()[0] > before[0]


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_values_do_not_raise_the_version(change):
    part = Part()
    before = part._guard()
    change(part)
    assert part._guard() == before


def test_the_mode_is_part_of_the_guard_alone():
    part = Part()
    before = part._guard()
    part.eval()
    assert part._guard() == (before[0], False)
    part.train()
    assert part._guard() == before


def test_a_captured_step_follows_the_module():
    part = Part()
    step = ts.compile(lambda x: part(x))
    x = ts.ones((1, 1))
    for change in (
        lambda: None,
        lambda: setattr(part, "width", 5),
        lambda: nn.init.constant_(part.factor, 3),
        lambda: setattr(part, "shift", ts.ones(1)),
        lambda: part.register_forward_hook(lambda module, args, output: output * 2),
        lambda: part.layer.register_forward_hook(lambda module, args, output: output * 2),
    ):
        change()
        np.testing.assert_allclose(step(x).numpy(), part(x).numpy(), rtol=1e-6)


def test_a_captured_step_follows_the_mode_without_recording_again_and_again():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    step = ts.compile(lambda x: model(x))
    x = ts.ones((1, 4))
    for _ in range(3):
        model.train()
        step(x)
        model.eval()
        np.testing.assert_allclose(step(x).numpy(), model(x).numpy(), rtol=1e-6)
    assert len(step.plans) == 2


def test_batch_norm_counts_in_captured_steps():
    layer, twin = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    step = ts.compile(lambda x: layer(x))
    x = ts.asarray(np.random.default_rng(0).normal(size=(6, 2)).astype("float32"))
    for _ in range(3):
        np.testing.assert_allclose(step(x).numpy(), twin(x).numpy(), rtol=1e-5, atol=1e-6)
    assert int(layer.num_batches_tracked) == 3
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(layer.state_dict()[name].numpy(), value.numpy(), rtol=1e-6)


def test_a_step_that_keeps_a_tensor_in_an_attribute_is_recorded_once():
    class Remembering(nn.Module):
        def forward(self, x):
            self.last = x * 2
            return self.last + 1

    module = Remembering()
    step = ts.compile(lambda x: module(x))
    for _ in range(3):
        assert step(ts.ones(1)).tolist() == [3.0]
    assert len(step.plans) == 1
