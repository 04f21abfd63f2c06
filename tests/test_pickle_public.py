"""Pickle and deep copies of what the package exports: names, and objects with state."""

import copy
import importlib
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import linalg, nn, optim
from trainsmith.nn.utils import parametrizations, rnn

HOMES = [ts, linalg, nn, nn.functional, nn.init, nn.utils, parametrizations, rnn, optim, optim.lr_scheduler, ts.errors]
WAYS = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.__name__)
def test_every_public_name_comes_back(home):
    named = getattr(home, "__all__", dir(home))
    names = [name for name in named if not name.startswith("_") and not inspect.ismodule(getattr(home, name))]
    for name in names:
        member = getattr(home, name)
        back = pickle.loads(pickle.dumps(member))
        same = back is member if inspect.isclass(member) or inspect.isroutine(member) else repr(back) == repr(member)
        assert same, name
    assert names


def stepped(optimizer):
    (weight,) = optimizer.param_groups[0]["params"]
    weight.grad = ts.ones(weight.shape)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("way", WAYS)
def test_a_module_with_a_computed_weight_comes_back(way):
    layer = parametrizations.weight_norm(nn.Linear(3, 2))
    again = WAYS[way](layer)
    assert list(again.state_dict()) == list(layer.state_dict())
    assert isinstance(again, nn.Linear)
    x = ts.ones((1, 3))
    assert again(x).tolist() == layer(x).tolist()
    again.parametrizations.weight.original0.copy_(ts.zeros((2, 1)))
    assert again.weight.tolist() == [[0.0] * 3] * 2
    assert layer.weight.tolist() != again.weight.tolist()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [lambda p: optim.EMA(p, 0.5), optim.SWA], ids=["EMA", "SWA"])
def test_an_average_comes_back_with_its_parameters(make, way):
    weight = nn.Parameter(ts.asarray([1.0, 2.0]))
    average = make([weight])
    average.update()
    weight.copy_(ts.asarray([3.0, 6.0]))
    average.update()
    again = WAYS[way](average)
    assert again.updates == 2
    assert [x.tolist() for x in again.averages()] == [[2.0, 4.0]]
    again.params[0].copy_(ts.zeros(2))
    again.update()
    average.update()
    assert again.averages()[0].tolist() != average.averages()[0].tolist()
    assert weight.tolist() == [3.0, 6.0]


@pytest.mark.parametrize("way", WAYS)
def test_a_generator_comes_back_at_its_place(way):
    stream = ts.Generator(7)
    stream.set_state((7, 12))
    again = WAYS[way](stream)
    assert again.get_state() == (7, 12)
    again.manual_seed(1)
    assert stream.get_state() == (7, 12)


SCHEDULERS = {
    "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 2),
    "OneCycleLR": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.5, 10, cycle_momentum=False),
    "ReduceLROnPlateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_comes_back_with_its_optimizer(name):
    optimizer = stepped(optim.SGD([nn.Parameter(ts.ones(2))], lr=0.1))
    scheduler = SCHEDULERS[name](optimizer)
    again = pickle.loads(pickle.dumps(scheduler))
    value = (1.0,) if name == "ReduceLROnPlateau" else ()
    for _ in range(4):
        scheduler.step(*value)
        again.step(*value)
    assert again.optimizer is not optimizer
    np.testing.assert_array_equal(again.optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["lr"])


PATHS = (Path(__file__).parent / "tables" / "pickle_paths.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("path", PATHS)
def test_pickles_of_earlier_versions_find_their_classes(path):
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    assert any(found is getattr(home, name, None) for home in HOMES)


def test_every_class_with_state_has_a_line():
    homes = [nn, optim, optim.lr_scheduler, parametrizations, rnn]
    classes = {x for home in homes for x in vars(home).values() if inspect.isclass(x) and "trainsmith" in x.__module__}
    classes = {x for x in classes if any(vars(home).get(x.__name__) is x for home in HOMES)}
    assert sorted(f"{x.__module__}.{x.__qualname__}" for x in classes) == sorted(PATHS)
