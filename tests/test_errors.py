"""The errors: classes, what they carry, what they say."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import errors
from trainsmith._problem import problem

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.TrainsmithError)]
BUILT_IN = {
    "ArgumentError": ValueError,
    "ConfigError": ValueError,
    "DTypeError": TypeError,
    "DataError": ValueError,
    "DeviceError": RuntimeError,
    "GraphError": RuntimeError,
    "IndexRangeError": IndexError,
    "InternalError": Exception,
    "IoError": OSError,
    "NonFiniteError": FloatingPointError,
    "ShapeError": ValueError,
}


def test_domains_are_sorted():
    domains = [kind for kind in CLASSES if errors.TrainsmithError in kind.__bases__]
    names = [kind.__name__ for kind in sorted(domains, key=lambda kind: inspect.getsourcelines(kind)[1])]
    assert names == sorted(names, key=str.lower)


@pytest.mark.parametrize("name", BUILT_IN)
def test_class_derives_from_the_built_in_one(name):
    assert issubclass(getattr(errors, name), BUILT_IN[name])


def test_codes_are_different():
    assert len({kind.code for kind in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_error_survives_pickle_and_copy(kind):
    error = problem(kind, "matmul", "two matrices; reshape first", "one")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error) == "matmul: expected two matrices; reshape first, got one"
        assert (again.op, again.expected, again.got) == ("matmul", "two matrices; reshape first", "one")


@ts.compile
def changes_a_leaf(x):
    return x.requires_grad_()


def unusable_gradient():
    p = ts.nn.Parameter(ts.asarray(1.0))
    p.grad = ts.asarray(ts.nan)
    ts.optim.SGD([p], lr=0.1).step()


# One call for each variant of the core's error, with what it says.
VARIANTS = {
    "Shape": (lambda: ts.ones(2) + ts.ones(3), errors.ShapeError, "add", "shapes that broadcast"),
    "DType": (lambda: ~ts.ones(2), errors.DTypeError, "not", "a bool or integer tensor"),
    "Value": (lambda: ts.arange(0, 1, 0), errors.ArgumentError, "arange", "a step other than 0"),
    "Index": (lambda: ts.sum(ts.ones(2), axis=1), errors.IndexRangeError, "sum", "an axis in"),
    "Device": (lambda: ts.ones(2, device="tpu"), errors.DeviceError, "device", 'one of "cpu"'),
    "Graph": (lambda: ts.ones(1).backward(), errors.GraphError, "backward", "a tensor computed from leaves"),
    "NonFinite": (unusable_gradient, errors.NonFiniteError, "", "finite"),
    "Io": (lambda: ts.load_safetensors("/nowhere/at.all"), errors.IoError, "load_safetensors", "a file"),
    "Bug": (lambda: ts._core.apply("nothing", ()), errors.InternalError, "nothing", "no function of this name"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_error_of_the_core_reaches_its_class(variant):
    call, kind, op, says = VARIANTS[variant]
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert type(error) is kind
    assert op in error.op
    assert says in str(error)
    if variant != "Bug":
        assert str(error) == f"{error.op}: expected {error.expected}, got {error.got}"


def test_the_table_covers_every_class_of_the_core():
    of_python = {"ConfigError", "DataError"}
    assert {kind.__name__ for _, kind, _, _ in VARIANTS.values()} == set(BUILT_IN) - of_python


def test_bare_except_of_the_built_in_class_works():
    with pytest.raises(IndexError):
        ts.ones(2)[5]
    with pytest.raises(TypeError):
        ts.asarray("a")
    with pytest.raises(ValueError, match="expected"):
        ts.reshape(ts.ones(2), 3)


def test_error_inside_a_loop_body_is_the_users_own():
    class OwnError(Exception):
        pass

    def body(carry, x):
        raise OwnError("mine")

    with pytest.raises(OwnError, match="mine"):
        ts.scan(body, ts.asarray(0.0), ts.ones(3))
    assert (ts.ones(2) + 1).tolist() == [2.0, 2.0]


def test_error_while_recording_leaves_no_recording_behind():
    with pytest.raises(errors.ShapeError):
        ts.compile(lambda x: x + ts.ones(3))(ts.ones(2))
    assert not ts._core.recording()
    assert np.asarray(ts.ones(2) * 2).tolist() == [2.0, 2.0]
