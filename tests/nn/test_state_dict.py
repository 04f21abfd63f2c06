"""State dictionaries: round trips, what is refused, and that nothing is loaded after an error."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, GraphError, ShapeError


def network(**kwargs):
    return nn.Sequential(nn.Linear(3, 4, **kwargs), nn.BatchNorm1d(4, **kwargs), nn.Linear(4, 1, **kwargs))


def values(module):
    return {name: np.asarray(value).copy() for name, value in module.state_dict().items()}


def assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_keys_are_those_of_torch():
    assert list(network().state_dict()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
        "2.weight",
        "2.bias",
    ]
    assert list(nn.Linear(1, 1, bias=False).state_dict(prefix="a.")) == ["a.weight"]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("as_arrays", [True, False])
def test_a_round_trip_gives_the_same_values(strict, as_arrays):
    one, two = network(), network()
    one(ts.asarray(np.random.default_rng(0).normal(size=(5, 3)).astype("float32")))
    result = two.load_state_dict(values(one) if as_arrays else one.state_dict(), strict)
    assert result == ([], [])
    assert_same(values(one), values(two))


def test_parameters_stay_the_same_objects():
    one, two = network(), network()
    before = list(two.parameters())
    two.load_state_dict(one.state_dict())
    assert all(new is old for new, old in zip(two.parameters(), before))
    assert all(param.requires_grad for param in before)


def test_a_snapshot_does_not_follow_the_module():
    layer = nn.Linear(1, 1)
    state = layer.state_dict()
    before = state["weight"].tolist()
    nn.init.constant_(layer.weight, 5)
    assert state["weight"].tolist() == before
    assert not state["weight"].requires_grad


def test_floats_are_converted_to_the_dtype_that_is_there():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": ts.asarray([3.0], dtype=ts.float64)})
    assert layer.weight.dtype == ts.float32
    assert layer.weight.tolist() == [[1.0, 2.0]]
    assert layer.bias.tolist() == [3.0]


def test_names_that_differ_are_listed_in_one_error():
    layer = nn.Linear(2, 1)
    before = values(layer)
    with pytest.raises(ArgumentError) as raised:
        layer.load_state_dict({"weight": np.zeros((1, 3)), "offset": np.zeros(1)})
    for part in ("missing: bias", "unexpected: offset", "weight: shape (1, 3) for (1, 2)", "strict=False"):
        assert part in str(raised.value)
    assert_same(values(layer), before)


def test_without_strict_names_may_differ():
    layer = nn.Linear(2, 1)
    result = layer.load_state_dict({"weight": np.ones((1, 2)), "offset": np.zeros(1)}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["offset"]
    assert layer.weight.tolist() == [[1.0, 1.0]]


def test_shapes_must_agree_also_without_strict():
    module = network()
    before = values(module)
    bad = {**before, "0.weight": np.zeros((4, 4)), "2.bias": np.zeros(2)}
    with pytest.raises(ShapeError, match=r"(?s)0.weight: shape \(4, 4\) for \(4, 3\).*2.bias: shape \(2,\) for \(1,\)"):
        module.load_state_dict(bad, strict=False)
    assert_same(values(module), before)


def test_floats_and_integers_do_not_mix():
    module = network()
    state = {**values(module), "1.num_batches_tracked": np.array(1.5)}
    with pytest.raises(ShapeError, match=r"1\.num_batches_tracked: dtype float64 for int64"):
        module.load_state_dict(state)


@pytest.mark.parametrize("call", [nn.Module.state_dict, lambda module: module.load_state_dict({})])
def test_state_is_no_part_of_a_compiled_function(call):
    module = network()

    @ts.compile
    def step(x):
        call(module)
        return x

    with pytest.raises(GraphError, match="a call outside compiled functions"):
        step(ts.ones(1))


def test_conversion_changes_floats_and_keeps_integers():
    module = network().double()
    assert module is module.to(ts.float64)
    dtypes = {name: str(value.dtype) for name, value in module.state_dict().items()}
    assert dtypes.pop("1.num_batches_tracked") == "int64"
    assert set(dtypes.values()) == {"float64"}
    assert {str(param.dtype) for param in module.half().parameters()} == {"float16"}
    assert {str(param.dtype) for param in module.float().parameters()} == {"float32"}
    assert {str(param.dtype) for param in module.to("cpu", ts.bfloat16).parameters()} == {"bfloat16"}


def test_conversion_keeps_values_flags_sharing_and_gradients():
    module = network()
    module[2].weight.requires_grad_(False)
    module.add_module("again", module[0])
    module[0](ts.ones((1, 3))).sum().backward()
    before, grad = values(module), module[0].weight.grad.tolist()
    module.to(dtype=ts.float64, device="cpu")
    for name, value in values(module).items():
        np.testing.assert_array_equal(value, before[name])
    assert module[0].weight is module.again.weight
    assert not module[2].weight.requires_grad
    assert module[0].weight.grad.tolist() == grad
    assert module[0].weight.grad.dtype == ts.float64


def test_conversion_to_what_is_there_changes_nothing():
    layer = nn.Linear(1, 1)
    weight, version = layer.weight, layer._guard()
    layer.to(ts.float32)
    assert layer.weight is weight
    assert layer._guard() == version


def test_modules_are_not_converted_to_integers():
    with pytest.raises(TypeError, match="to: expected a floating dtype"):
        nn.Linear(1, 1).to(ts.int32)
