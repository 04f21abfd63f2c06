"""Pickles and deep copies."""

import copy
import pickle

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn

DTYPES = ["bool", "int8", "int64", "uint8", "uint64", "float16", "bfloat16", "float32", "float64"]
WAYS = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "old pickle": lambda x: pickle.loads(pickle.dumps(x, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_tensor_comes_back(dtype, shape, way):
    x = ts.astype(ts.full(shape, 3), getattr(ts, dtype))
    y = WAYS[way](x)
    assert y is not x
    assert (type(y), y.dtype, y.shape, y.tolist(), y.device) == (ts.Tensor, x.dtype, shape, x.tolist(), "cpu")


@pytest.mark.parametrize("way", WAYS)
def test_views_come_back_with_their_own_elements(way):
    x = ts.asarray(np.arange(6.0).reshape(2, 3)).T[::-1]
    assert WAYS[way](x).tolist() == x.tolist()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("requires_grad", [True, False])
def test_parameter_stays_a_parameter(way, requires_grad):
    p = nn.Parameter(ts.asarray([1.0, 2.0]), requires_grad)
    p.name_ = "layer.weight"
    q = WAYS[way](p)
    assert type(q) is type(p)
    assert (q.requires_grad, q.tolist(), q.name_, q.is_leaf) == (requires_grad, [1.0, 2.0], "layer.weight", True)
    q.copy_(ts.zeros(2))
    assert p.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("way", WAYS)
def test_buffer_stays_a_buffer(way):
    b = nn.Buffer(ts.asarray([1.0]))
    c = WAYS[way](b)
    assert type(c) is type(b)
    c += 1
    assert (b.tolist(), c.tolist()) == ([1.0], [2.0])


@pytest.mark.parametrize("way", WAYS)
def test_leaf_stays_one_that_requires_a_gradient(way):
    x = ts.asarray([1.0]).requires_grad_()
    y = WAYS[way](x)
    assert y.requires_grad
    (y * 2).sum().backward()
    assert y.grad.tolist() == [2.0]
    assert x.grad is None


@pytest.mark.parametrize("way", WAYS)
def test_tape_stays_behind(way):
    x = ts.asarray([1.0]).requires_grad_()
    y = WAYS[way](x * 2)
    assert not y.requires_grad
    assert y.tolist() == [2.0]


def test_deepcopy_takes_the_gradient_along():
    p = nn.Parameter(ts.asarray([1.0]))
    (p * 3).sum().backward()
    q = copy.deepcopy(p)
    assert q.grad.tolist() == [3.0]
    q.grad += 1
    assert p.grad.tolist() == [3.0]


def test_deepcopy_copies_an_object_once():
    p = nn.Parameter(ts.asarray([1.0]))
    a, b = copy.deepcopy([p, p])
    assert a is b


class Own(nn.Parameter):
    """A parameter class of a user."""


@pytest.mark.parametrize("way", ["deepcopy", "copy"])
def test_classes_of_users_stay(way):
    assert type(WAYS[way](Own(ts.ones(1)))) is Own
