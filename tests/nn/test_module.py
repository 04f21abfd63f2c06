"""What every module does: find its parts, name them, call hooks, switch modes, copy and pickle."""

import copy
import pickle

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError


class Block(nn.Module):
    """Two layers, a parameter, a buffer, a shared layer and plain attributes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.rest = nn.Sequential(nn.Tanh(), nn.Linear(4, 2))
        self.scale = nn.Parameter(ts.ones(2))
        self.register_buffer("shift", ts.zeros(2))
        self.register_buffer("scratch", ts.zeros(1), persistent=False)
        self.width = 4

    def forward(self, x, power=1):
        return self.rest(self.first(x)) * self.scale**power + self.shift


def values(module):
    return {name: np.asarray(value).copy() for name, value in module.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


def test_parameters_come_in_the_order_of_torch():
    names = [name for name, _ in Block().named_parameters()]
    assert names == ["scale", "first.weight", "first.bias", "rest.1.weight", "rest.1.bias"]
    assert [name for name, _ in Block().named_parameters(recurse=False)] == ["scale"]
    assert next(name for name, _ in Block().named_parameters(prefix="m")) == "m.scale"


def test_modules_and_children_have_dotted_names():
    block = Block()
    assert [name for name, _ in block.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in block.named_children()] == ["first", "rest"]
    assert list(block.children()) == [block.first, block.rest]


def test_a_shared_parameter_is_listed_once_and_saved_under_each_name():
    block = Block()
    block.rest[1].bias = block.scale
    assert len(list(block.parameters())) == 4
    assert {"scale", "rest.1.bias"} <= block.state_dict().keys()


def test_state_has_persistent_buffers_only():
    block = Block()
    assert [name for name, _ in block.named_buffers()] == ["shift", "scratch"]
    assert list(block.state_dict())[:2] == ["scale", "shift"]
    assert "scratch" not in block.state_dict()


def test_parts_are_found_by_dotted_name():
    block = Block()
    assert block.get_submodule("rest.1") is block.rest[1]
    assert block.get_submodule("") is block
    assert block.get_parameter("rest.1.weight") is block.rest[1].weight
    with pytest.raises(AttributeError, match=r"Sequential has no sub-module '7'; it has '0', '1'"):
        block.get_submodule("rest.7")
    with pytest.raises(AttributeError, match=r"Linear has no parameter 'w'; it has 'weight', 'bias'"):
        block.get_parameter("first.w")


def test_parameters_are_named_for_messages():
    block = Block()
    list(block.parameters())
    assert block.rest[1].weight.name_ == "rest.1.weight"
    list(block.rest.parameters())
    assert block.rest[1].weight.name_ == "rest.1.weight"


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'nothing'"):
        _ = Block().nothing


def test_assignment_before_init_says_what_to_do():
    class Early(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"Early: call super\(\).__init__\(\) before"):
        Early()


@pytest.mark.parametrize(
    ("name", "value"),
    [("scale", ts.ones(2)), ("scale", 3.0), ("shift", 3.0), ("first", "a layer"), ("first", ts.ones(1))],
)
def test_a_slot_takes_its_own_kind_only(name, value):
    with pytest.raises(ArgumentError, match=f"expected a .* for '{name}'"):
        setattr(Block(), name, value)


def test_a_slot_can_be_emptied_and_filled_again():
    block = Block()
    block.scale = None
    assert block.scale is None
    block.scale = nn.Parameter(ts.ones(2))
    assert "scale" in dict(block.named_parameters())
    del block.scale
    assert not hasattr(block, "scale")
    block.scale = "plain now"
    assert block.scale == "plain now"


def test_a_name_moves_between_kinds():
    block = Block()
    block.width = nn.Parameter(ts.ones(1))
    assert "width" in dict(block.named_parameters())
    block.width = nn.Linear(1, 1)
    assert "width" not in dict(block.named_parameters())
    assert "width.weight" in dict(block.named_parameters())


def test_a_tensor_assigned_to_a_buffer_writes_its_cell_or_replaces_it():
    block = Block()
    cell = block.shift
    block.shift = ts.ones(2)
    assert block.shift is cell
    assert cell.tolist() == [1.0, 1.0]
    block.shift = ts.ones(3)
    assert block.shift is not cell
    assert isinstance(block.shift, nn.Buffer)
    block.shift += 1
    assert block.shift.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("name", ["", "a.b", "width", "forward"])
def test_registration_refuses_bad_names(name):
    for register, value in (("register_parameter", nn.Parameter(ts.ones(1))), ("register_buffer", ts.ones(1))):
        with pytest.raises(ArgumentError, match="a name that is not empty"):
            getattr(Block(), register)(name, value)
    with pytest.raises(ArgumentError, match="a name that is not empty"):
        Block().add_module(name, nn.Tanh())


def test_registration_refuses_other_kinds():
    block = Block()
    with pytest.raises(ArgumentError, match="a Parameter or None"):
        block.register_parameter("new", ts.ones(1))
    with pytest.raises(ArgumentError, match="a tensor or None"):
        block.register_buffer("new", np.ones(1))
    with pytest.raises(ArgumentError, match="a Module or None"):
        block.add_module("new", print)


def test_train_and_eval_reach_every_module():
    block = Block()
    assert block.eval() is block
    assert not any(module.training for module in block.modules())
    assert all(module.training for module in block.train().modules())


def test_requires_grad_reaches_every_parameter():
    block = Block().requires_grad_(False)
    assert not any(param.requires_grad for param in block.parameters())


def test_zero_grad_drops_or_fills():
    block = Block()
    block(ts.ones((1, 3))).sum().backward()
    block.zero_grad(set_to_none=False)
    assert float(block.first.weight.grad.sum()) == 0
    block.zero_grad()
    assert all(param.grad is None for param in block.parameters())


def test_apply_visits_children_first():
    seen = []
    block = Block()
    assert block.apply(seen.append) is block
    assert [type(module).__name__ for module in seen] == ["Linear", "Tanh", "Linear", "Sequential", "Block"]


def test_hooks_see_and_change_arguments_and_outputs():
    block, seen = Block(), []
    x = ts.ones((1, 3))
    plain = block(x).tolist()
    before = block.register_forward_pre_hook(lambda module, args: seen.append(len(args)))
    double = block.register_forward_pre_hook(lambda module, args: args[0] * 2)
    after = block.register_forward_hook(lambda module, args, output: output + 1)
    first = block.register_forward_hook(lambda module, args, output: output * 0, prepend=True)
    assert block(x).tolist() == [[1.0, 1.0]]
    assert seen == [1]
    first.remove()
    double.remove()
    first.remove()
    assert np.allclose(block(x).numpy(), np.array(plain) + 1)
    with after:
        pass
    before.remove()
    assert block(x).tolist() == plain


def test_hooks_with_keywords():
    block, seen = Block(), []
    block.register_forward_pre_hook(lambda module, args, kwargs: (args, {"power": 0}), with_kwargs=True)
    block.register_forward_hook(lambda module, args, kwargs, output: seen.append(kwargs), with_kwargs=True)
    block(ts.ones((1, 3)), power=2)
    assert seen == [{"power": 0}]


def test_repr_is_a_tree():
    assert repr(Block()) == (
        "Block(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (rest): Sequential(\n"
        "    (0): Tanh()\n"
        "    (1): Linear(in_features=4, out_features=2, bias=True)\n"
        "  )\n"
        ")"
    )


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_copies_are_equal_and_independent(duplicate):
    block = Block()
    block.rest[1].bias = block.scale
    block.first.weight.requires_grad_(False)
    block.eval()
    twin = duplicate(block)
    assert same(values(block), values(twin))
    assert twin.scale is twin.rest[1].bias
    assert twin.scale is not block.scale
    assert not twin.first.weight.requires_grad
    assert twin.scale.requires_grad
    assert not twin.training
    before = values(block)
    nn.init.zeros_(twin.scale)
    twin.shift += 1
    twin.width = 5
    assert same(values(block), before)
    assert block.width == 4
    assert twin(ts.ones((1, 3))).tolist() == [[1.0, 1.0]]


def test_forward_must_be_defined():
    with pytest.raises(NotImplementedError, match="Module: define forward"):
        nn.Module()()


def test_dir_lists_registered_names():
    assert {"first", "scale", "shift", "width"} <= set(dir(Block()))
