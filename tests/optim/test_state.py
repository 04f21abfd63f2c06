"""State dictionaries of optimizers: torch's format, and what is refused."""

import copy

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, GraphError


def trained(kind=optim.AdamW, steps=2, **options):
    ts.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    groups = [{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 0.5, "name": "head"}]
    optimizer = kind(groups, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        model(ts.ones((4, 2))).sum().backward()
        optimizer.step()
    return model, optimizer


def test_the_format_is_that_of_torch():
    _, optimizer = trained()
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2, 3]]
    assert [group["lr"] for group in state["param_groups"]] == [1e-3, 0.5]
    assert state["param_groups"][1]["name"] == "head"
    assert sorted(state["state"]) == [0, 1, 2, 3]
    entry = state["state"][2]
    assert set(entry) == {"step", "exp_avg", "exp_avg_sq"}
    assert entry["step"] == 2
    assert entry["exp_avg"].shape == (1, 3)


def test_a_new_optimizer_has_no_state():
    assert trained(steps=0)[1].state_dict()["state"] == {}


def test_options_and_extra_keys_come_back():
    _, one = trained(betas=(0.5, 0.6))
    _, two = trained(steps=0)
    two.load_state_dict(one.state_dict())
    assert two.param_groups[0]["betas"] == (0.5, 0.6)
    assert two.param_groups[1]["name"] == "head"
    assert repr(two) == repr(one)


def test_tensors_of_torch_checkpoints_load():
    """Steps as floating tensors, state as arrays, keys of options that we have not, keys as text after JSON."""
    _, one = trained()
    _, two = trained(steps=0)
    state = one.state_dict()
    foreign = {
        "state": {
            str(place): {
                "step": ts.asarray(float(entry["step"])),
                **{name: np.asarray(entry[name], "float64") for name in ("exp_avg", "exp_avg_sq")},
            }
            for place, entry in state["state"].items()
        },
        "param_groups": [{**group, "foreach": None, "fused": None} for group in state["param_groups"]],
    }
    two.load_state_dict(foreign)
    for place, entry in state["state"].items():
        got = two.state_dict()["state"][place]
        assert got["step"] == 2
        assert got["exp_avg"].tolist() == entry["exp_avg"].tolist()
    assert two.param_groups[0]["foreach"] is None


def test_a_momentum_buffer_without_a_count_counts_as_one_step():
    param = nn.Parameter(ts.zeros(1))
    optimizer = optim.SGD([param], lr=1.0, momentum=0.5, dampening=0.5)
    state = optimizer.state_dict()
    optimizer.load_state_dict({**state, "state": {0: {"momentum_buffer": np.array([2.0])}}})
    param.grad = ts.asarray([4.0])
    optimizer.step()
    assert param.tolist() == [-3.0]
    optimizer.load_state_dict({**state, "state": {0: {"momentum_buffer": None}}})
    assert optimizer.state_dict()["state"] == {}


def test_the_state_there_is_replaced():
    _, one = trained(steps=0)
    _, two = trained(steps=3)
    two.load_state_dict(one.state_dict())
    assert two.state_dict()["state"] == {}


def change(state, path, value):
    state = copy.copy(state)
    if len(path) == 1:
        if value is None:
            del state[path[0]]
        else:
            state[path[0]] = value
    else:
        state[path[0]] = change(state[path[0]], path[1:], value)
    return state


BROKEN = {
    "no state": ([("state",)], [None], "a mapping with"),
    "fewer parameters": ([("param_groups", 1, "params")], [[2]], r"groups of \[2, 2\] parameters"),
    "fewer groups": ([("param_groups",)], [[{"params": [0, 1]}]], r"groups of \[2, 2\] parameters"),
    "shape": (
        [("state", 0, "exp_avg"), ("state", 3, "exp_avg_sq")],
        [np.zeros(3), np.zeros(2)],
        r"(?s)parameter 0 \(.*\): exp_avg of shape \(3,\) for \(3, 2\).*parameter 3 \(.*\): exp_avg_sq of shape",
    ),
    "dtype": ([("state", 0, "exp_avg")], [np.zeros((3, 2), int)], "exp_avg of dtype int64"),
    "missing": ([("state", 1, "exp_avg")], [None], r"parameter 1 \(.*\): missing exp_avg"),
    "another optimizer": ([("state", 1, "momentum_buffer")], [np.zeros(3)], "unexpected momentum_buffer"),
    "option": ([("param_groups", 1, "lr")], [-1.0], "lr of at least 0"),
}


@pytest.mark.parametrize(("paths", "values", "message"), BROKEN.values(), ids=BROKEN)
def test_what_does_not_fit_is_listed_and_nothing_is_loaded(paths, values, message):
    _model, optimizer = trained()
    state = optimizer.state_dict()
    broken = state
    for path, value in zip(paths, values):
        broken = change(broken, path, value)
    broken = change(broken, ("param_groups", 0, "lr"), 0.9) if "param_groups" in broken else broken
    with pytest.raises(ArgumentError, match=message):
        optimizer.load_state_dict(broken)
    after = optimizer.state_dict()
    assert after["param_groups"] == state["param_groups"]
    for place, entry in state["state"].items():
        assert after["state"][place]["step"] == entry["step"]
        assert after["state"][place]["exp_avg"].tolist() == entry["exp_avg"].tolist()


def test_state_is_no_part_of_a_compiled_function():
    _, optimizer = trained()
    for call in (optimizer.state_dict, lambda: optimizer.load_state_dict({})):
        with pytest.raises(GraphError, match="a call outside compiled functions"):
            ts.compile(lambda x, call=call: (call(), x)[1])(ts.ones(1))
