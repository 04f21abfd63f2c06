"""Groups as mappings: torch's keys, checked writes, extra keys."""

import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError


def group(kind=optim.AdamW, **options):
    return kind(nn.Linear(2, 1).parameters(), **options).param_groups[0]


def test_keys_are_those_of_torch():
    assert set(group()) == {"params", "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize"}
    assert set(group(optim.SGD)) == {
        "params",
        "lr",
        "momentum",
        "dampening",
        "weight_decay",
        "nesterov",
        "maximize",
    }


def test_defaults_are_those_of_torch():
    adamw, sgd = dict(group()), dict(group(optim.SGD))
    assert [adamw.pop("params")[0].shape, sgd.pop("params")[0].shape] == [(1, 2), (1, 2)]
    assert adamw == {
        "lr": 1e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 1e-2,
        "amsgrad": False,
        "maximize": False,
    }
    assert sgd == {
        "lr": 1e-3,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }


def test_betas_are_written_together():
    one = group()
    one["betas"] = (0.5, 0.6)
    assert one["betas"] == (0.5, 0.6)
    with pytest.raises(ArgumentError, match="beta2"):
        one["betas"] = (0.1, 1.0)
    assert one["betas"] == (0.5, 0.6)
    with pytest.raises(ArgumentError, match="betas: 2 numbers"):
        one["betas"] = (0.1,)


def test_flags_and_numbers_that_need_each_other_are_written_together():
    one = group(optim.SGD)
    one.update_options({"nesterov": True, "momentum": 0.9})
    one.update_options({"momentum": 0.0, "nesterov": False})
    with pytest.raises(ArgumentError, match="momentum above 0"):
        one["nesterov"] = True
    assert one["nesterov"] is False


def test_numbers_come_from_anything_that_is_one():
    one = group()
    one["lr"] = ts.asarray(0.5)
    assert one["lr"] == 0.5
    one["lr"] = 1
    assert isinstance(one["lr"], float)


def test_extra_keys_are_kept():
    one = group()
    one["initial_lr"] = 0.3
    one.setdefault("note", "frozen later")
    assert one["initial_lr"] == 0.3
    assert len(one) == len(list(one)) == 9
    del one["note"]
    assert "note" not in one
    with pytest.raises(KeyError):
        _ = one["note"]


def test_misspelt_keys_are_refused():
    with pytest.raises(ArgumentError, match="did you mean 'weight_decay'"):
        group()["weight_dacay"] = 0.1


def test_options_and_parameters_stay():
    one = group()
    for key in ("lr", "params"):
        with pytest.raises(ArgumentError, match="to stay"):
            del one[key]
    with pytest.raises(ArgumentError, match="add_param_group"):
        one["params"] = []


def test_extra_keys_of_new_groups_are_kept():
    optimizer = optim.SGD(nn.Linear(2, 1).parameters())
    optimizer.add_param_group({"params": nn.Linear(1, 1).parameters(), "lr": 0.5, "name": "head"})
    assert [g["lr"] for g in optimizer.param_groups] == [1e-3, 0.5]
    assert optimizer.param_groups[1]["name"] == "head"
    assert "'name': 'head'" in repr(optimizer.param_groups[1])


def test_numbers_do_not_change_the_guard_but_flags_do():
    optimizer = optim.SGD(nn.Linear(2, 1).parameters(), momentum=0.5)
    before = optimizer._guard()
    optimizer.param_groups[0]["lr"] = 0.2
    optimizer.param_groups[0]["momentum"] = 0.7
    assert optimizer._guard() == before
    optimizer.param_groups[0]["momentum"] = 0.0
    assert optimizer._guard() != before
    before = optimizer._guard()
    optimizer.param_groups[0]["maximize"] = True
    assert optimizer._guard() != before
    before = optimizer._guard()
    optimizer.add_param_group({"params": nn.Linear(1, 1).parameters()})
    assert optimizer._guard() != before
