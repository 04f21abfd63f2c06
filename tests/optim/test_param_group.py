"""Groups as mappings: torch's keys, checked writes, extra keys."""

import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError
from trainsmith.optim._option_names import joined


def group(kind=optim.AdamW, **options):
    return kind(nn.Linear(2, 1).parameters(), **options).param_groups[0]


def test_keys_are_those_of_torch():
    assert set(group()) == {"params", "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "eps_mode"}
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
        "eps_mode": "torch",
    }
    assert sgd == {
        "lr": 1e-3,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }


BETAS = {"betas": (0.9, 0.999)}
DEFAULTS = {
    optim.Adam: {**BETAS, "lr": 1e-3, "eps": 1e-8, "amsgrad": False, "decoupled_weight_decay": False},
    optim.NAdam: {**BETAS, "lr": 2e-3, "eps": 1e-8, "momentum_decay": 4e-3, "decoupled_weight_decay": False},
    optim.RAdam: {**BETAS, "lr": 1e-3, "eps": 1e-8, "decoupled_weight_decay": False},
    optim.Adamax: {**BETAS, "lr": 2e-3, "eps": 1e-8},
    optim.RMSprop: {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False},
    optim.Adagrad: {"lr": 1e-2, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    optim.Adadelta: {"lr": 1.0, "rho": 0.9, "eps": 1e-6},
    optim.Adafactor: {"lr": 1e-2, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0},
    optim.Muon: {
        "lr": 1e-3,
        "weight_decay": 0.1,
        "momentum": 0.95,
        "nesterov": True,
        "ns_coefficients": (3.4445, -4.775, 2.0315),
        "eps": 1e-7,
        "ns_steps": 5,
        "adjust_lr_fn": None,
    },
}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_other_defaults_are_those_of_torch(kind):
    options = dict(kind([nn.Linear(2, 1).weight]).param_groups[0])
    del options["params"]
    assert options == {"weight_decay": 0.0, "maximize": False, **DEFAULTS[kind]}


KINDS = [kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, optim.Optimizer)]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind is not optim.Optimizer], ids=lambda kind: kind.__name__
)
def test_defaults_of_the_core_are_those_of_the_class(kind):
    optimizer = kind([nn.Linear(2, 1).weight])
    numbers, flags = optimizer.core.defaults()
    assert repr(joined({**numbers, **flags})) == repr(optimizer.param_groups[0].options())


def test_choices_and_tuples_are_checked():
    for bad in ("adamw", 1):
        with pytest.raises(ArgumentError, match="eps_mode to be one of 'torch', 'kingma'"):
            group(eps_mode=bad)
    weight = [nn.Linear(2, 1).weight]
    with pytest.raises(ArgumentError, match="adjust_lr_fn to be one of None, 'original'"):
        optim.Muon(weight, adjust_lr_fn="best")
    with pytest.raises(ArgumentError, match="ns_coefficients: 3 numbers"):
        optim.Muon(weight, ns_coefficients=(1.0, 2.0))
    with pytest.raises(ArgumentError, match="parameters of two axes"):
        optim.Muon(nn.Linear(2, 1).parameters())
    for eps in ((-1.0, 1e-3), (None, -1.0)):
        with pytest.raises(ArgumentError, match="eps"):
            optim.Adafactor(weight, eps=eps)
    with pytest.raises(ArgumentError, match="beta2_decay of at most 0"):
        optim.Adafactor(weight, beta2_decay=0.1)
    with pytest.raises(ArgumentError, match="d of at least 1"):
        optim.Adafactor(weight, d=0.5)


def test_what_decides_the_ops_changes_the_guard():
    optimizer = optim.Muon([nn.Linear(2, 1).weight])
    before = optimizer._guard()
    optimizer.param_groups[0]["momentum"] = 0.5
    assert optimizer._guard() == before
    optimizer.param_groups[0]["ns_steps"] = 3
    assert optimizer._guard() != before


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
    assert len(one) == len(list(one)) == 10
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
