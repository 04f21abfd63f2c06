"""What a tensor object is: changes in place, snapshots, views, methods, and long chains."""

import gc
import inspect
import subprocess
import sys
import weakref

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, GraphError, ShapeError

IN_PLACE = {
    "+=": (lambda x: x.__iadd__(1.0), lambda x: x + 1),
    "-=": (lambda x: x.__isub__(ts.asarray([1.0, 2.0])), lambda x: x - np.array([1, 2])),
    "*=": (lambda x: x.__imul__(2), lambda x: x * 2),
    "/=": (lambda x: x.__itruediv__(2), lambda x: x / 2),
    "//=": (lambda x: x.__ifloordiv__(2), lambda x: x // 2),
    "%=": (lambda x: x.__imod__(2), lambda x: x % 2),
    "**=": (lambda x: x.__ipow__(2), lambda x: x**2),
    "[]=": (lambda x: x.__setitem__(0, 9.0) or x, lambda x: np.array([9, x[1]])),
    "fill_": (lambda x: x.fill_(7), lambda x: np.full(2, 7.0)),
    "zero_": (lambda x: x.zero_(), lambda x: np.zeros(2)),
    "copy_": (lambda x: x.copy_(ts.asarray([8.0, 9.0])), lambda x: np.array([8.0, 9.0])),
    "assign_": (lambda x: x.assign_(ts.asarray([8.0, 9.0])), lambda x: np.array([8.0, 9.0])),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_change_is_seen_by_every_reference_and_by_no_other_tensor(name):
    change, want = IN_PLACE[name]
    x = ts.asarray([3.0, 5.0])
    same, held = x, [x]
    others = {"view": x[:], "detach": x.detach(), "clone": x.clone(), "reshape": x.reshape(2), "positive": +x}
    array = np.asarray(x)
    assert change(x) is x
    expected = want(np.array([3.0, 5.0])).tolist()
    assert x.tolist() == same.tolist() == held[0].tolist() == expected
    for other, tensor in others.items():
        assert tensor.tolist() == [3.0, 5.0], other
    assert array.tolist() == [3.0, 5.0]


@pytest.mark.parametrize(
    "view", ["x[0]", "x[:, 1:]", "x.T", "x.reshape(4)", "x[None]", "x.expand(2, 2)", "x.flip(axis=0)"]
)
def test_change_of_a_view_leaves_its_tensor(view):
    x = ts.asarray([[1.0, 2.0], [3.0, 4.0]])
    y = eval(view)
    y += 1
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    x *= 0
    assert float(ts.min(y)) >= 2


def test_change_goes_on_while_only_one_object_sees_the_memory():
    x = ts.zeros(1000)
    for _ in range(5):
        x += 1
    assert x.tolist() == [5.0] * 1000


def test_change_keeps_dtype_and_shape():
    x = ts.asarray([1, 2])
    with pytest.raises(DTypeError, match="a value of dtype int64"):
        x += 0.5
    with pytest.raises(ShapeError, match="a value of shape"):
        x += ts.ones((2, 2), dtype=ts.int64)
    with pytest.raises(ShapeError, match="a value of shape"):
        x.assign_(ts.asarray([1, 2, 3]))
    assert x.tolist() == [1, 2]


def test_detach_is_a_snapshot():
    x = ts.asarray([1.0]).requires_grad_()
    y = x.detach()
    assert not y.requires_grad
    with ts.no_grad():
        x += 1
    assert (x.tolist(), y.tolist()) == ([2.0], [1.0])


def test_leaf_that_requires_a_gradient_changes_in_no_grad_only():
    for leaf in (ts.asarray([1.0]).requires_grad_(), nn.Parameter(ts.asarray([1.0]))):
        for change in (lambda x: x.__iadd__(1), lambda x: x.fill_(3), lambda x: x.__setitem__(0, 3.0)):
            with pytest.raises(
                GraphError, match="no in-place change of a leaf that requires a gradient; wrap it in no_grad"
            ):
                change(leaf)
        with ts.no_grad():
            leaf += 1
        assert leaf.tolist() == [2.0]
        assert leaf.requires_grad
        assert leaf.is_leaf
        leaf.copy_(ts.asarray([7.0]))
        assert leaf.tolist() == [7.0]


def test_parameter_is_a_cell():
    p = nn.Parameter(ts.asarray([1.0, 2.0]))
    held = p.detach()
    with ts.no_grad():
        p *= 10
    assert held.tolist() == [1.0, 2.0]
    (p * p).sum().backward()
    assert p.grad.tolist() == [20.0, 40.0]


def test_buffer_counts_in_place():
    b = nn.Buffer(ts.asarray(0))
    b += 1
    b += 1
    assert b.item() == 2


def test_change_of_a_result_is_part_of_its_gradient():
    x = ts.asarray([1.0, 2.0]).requires_grad_()
    y = x * 3
    y *= y
    y.sum().backward()
    assert x.grad.tolist() == [18.0, 36.0]


def test_views_of_a_leaf_are_results():
    x = ts.ones(3).requires_grad_()
    for view in (x.reshape(3), x[...], +x, x.astype(ts.float32), x.clone(), ts.broadcast_to(x, (3,))):
        assert not view.is_leaf
        view += 1
        assert view.tolist() == [2.0, 2.0, 2.0]
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_a_million_steps_are_dropped_without_overflow():
    program = """
import trainsmith as ts
x = ts.asarray(1.0).requires_grad_()
y = x
for _ in range(10**6):
    y = y + 1
assert float(y) == 10**6 + 1
del y
z = x
for _ in range(10**5):
    z = z + 1
z.backward()
assert float(x.grad) == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=110)


def test_dropped_tensor_is_gone():
    x = ts.ones(3)
    seen = weakref.ref(x)
    del x
    gc.collect()
    assert seen() is None


def test_properties():
    x = ts.zeros((2, 3), dtype=ts.float16)
    assert (x.shape, x.ndim, x.size, x.device, str(x.dtype)) == ((2, 3), 2, 6, "cpu", "float16")
    assert x.T.shape == x.mT.shape == (3, 2)
    assert ts.zeros((2, 3, 4)).T.shape == (4, 3, 2)
    assert ts.zeros((2, 3, 4)).mT.shape == (2, 4, 3)
    assert x.contiguous() is x


def test_equality_is_elementwise_and_hash_is_identity():
    x, y = ts.asarray([1, 2]), ts.asarray([1, 3])
    assert (x == y).tolist() == [True, False]
    assert (x != y).tolist() == [False, True]
    assert len({x, y, x}) == 2
    assert (x == None) is False  # noqa: E711
    assert x != "text"
    with pytest.raises(ShapeError, match="bool: expected a tensor with one element"):
        bool(x == y)


def test_unknown_operands_are_left_to_the_other_side():
    class Other:
        def __radd__(self, left):
            return "mine"

    assert ts.ones(1) + Other() == "mine"
    with pytest.raises(TypeError):
        ts.ones(1) + object()
    with pytest.raises(TypeError):
        ts.ones(1) + "text"


FIRST_ARGUMENT_IS_A_TENSOR = [
    name
    for name in ts.__all__
    if inspect.isfunction(function := getattr(ts, name))
    and (parameters := list(inspect.signature(function).parameters.values()))
    and parameters[0].kind is inspect.Parameter.POSITIONAL_ONLY
    and str(parameters[0].annotation).split("[")[0].removeprefix("typing.")
    in ("Union", "<class 'trainsmith._core.Tensor'>")
]
NO_METHOD = {"from_dlpack", "finfo", "iinfo", "can_cast", "arange"}


def test_list_of_methods_is_not_empty():
    assert len(FIRST_ARGUMENT_IS_A_TENSOR) > 90


@pytest.mark.parametrize("name", sorted(set(FIRST_ARGUMENT_IS_A_TENSOR) - NO_METHOD))
def test_every_function_of_a_tensor_is_a_method(name):
    method = getattr(ts.Tensor, name)
    if name != "reshape":
        assert method is getattr(ts, name)


@pytest.mark.parametrize(
    "name",
    [
        "item",
        "tolist",
        "numpy",
        "shape",
        "ndim",
        "size",
        "T",
        "mT",
        "dtype",
        "device",
        "to",
        "astype",
        "float",
        "double",
        "half",
        "long",
        "detach",
        "clone",
        "view",
        "reshape",
        "contiguous",
        "expand",
        "flatten",
        "masked_fill",
        "copy_",
        "fill_",
        "zero_",
        "is_leaf",
        "requires_grad",
        "requires_grad_",
        "grad",
        "backward",
    ],
)
def test_named_member_is_there(name):
    assert hasattr(ts.Tensor, name)


def test_only_floating_tensors_require_gradients():
    with pytest.raises(DTypeError, match="a floating tensor"):
        ts.asarray([1]).requires_grad_()
    with pytest.raises(DTypeError, match="floating data"):
        nn.Parameter(ts.asarray([1]))
    assert not nn.Parameter(ts.asarray([1]), requires_grad=False).requires_grad


def test_requires_grad_can_be_switched_off():
    x = ts.ones(1).requires_grad_()
    assert x.requires_grad_(False) is x
    assert not (x * 2).requires_grad
    x.requires_grad = True
    assert (x * 2).requires_grad
    with pytest.raises(GraphError, match="a leaf; use detach"):
        (x * 2).requires_grad_(False)


def test_fill_takes_a_number_or_a_0d_tensor():
    assert ts.zeros(2).fill_(ts.asarray(3.0)).tolist() == [3.0, 3.0]
    with pytest.raises(ArgumentError, match="int8"):
        ts.zeros(2, dtype=ts.int8).fill_(300)
