"""Graphs: inputs by name, checks, gradients by themselves."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, GraphError, ShapeError
from trainsmith.testing import check_model
from trainsmith.training import Batch, Graph, Input, Model


class Sum(nn.Module):
    """a w + b, of two inputs."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2, dtype=ts.float64)

    def forward(self, a, b):
        return self.linear(a) * b


def two():
    ts.manual_seed(0)
    return Graph(Sum(), inputs=[Input("a", ts.float64, (None, 3)), Input("b", ts.float64, (None, 2))])


A, B = (ts.asarray(np.random.default_rng(0).normal(size=(4, size))) for size in (3, 2))


def test_an_input_and_its_name_are_one_key():
    graph = two()
    by_name, by_input = {"a": A, "b": B}, dict(zip(graph.inputs, (A, B), strict=True))
    assert [id(one) for one in graph.ordered(by_name)] == [id(A), id(B)]
    assert [id(one) for one in graph.ordered(by_input)] == [id(A), id(B)]
    assert Batch(inputs=by_input, targets=B).inputs["a"] is A
    assert graph.inputs[0] != Input("b")


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        ({}, "no a, b"),
        ({"a": A}, "no b"),
        ({"a": A, "b": B, "c": A}, "'c' too"),
        ({"a": A, "B": B}, "no b and 'B' too"),
        ({Input("a"): A, 7: B}, "no b and 7 too"),
    ],
)
def test_other_keys_are_named(inputs, got):
    with pytest.raises(ArgumentError, match=f"exactly the graph's inputs; expected a, b, got {got}"):
        two().ordered(inputs)


@pytest.mark.parametrize(
    ("inputs", "kind", "message"),
    [
        ((A,), ArgumentError, "expected 2 tensors for a, b, got 1"),
        ((A.float(), B), DTypeError, "input 'a' must have its dtype; expected float64, got float32"),
        ((A, A), ShapeError, r"input 'b' must have its shape; expected \(None, 2\), None being free, got \(4, 3\)"),
        ((A[0], B), ShapeError, r"got \(3,\)"),
    ],
)
def test_what_does_not_go_in_is_refused(inputs, kind, message):
    for call in (two(), two().forward):
        with pytest.raises(kind, match=message):
            call(*inputs)


@pytest.mark.parametrize(
    "arguments",
    [("",), (7,), ("x", None, (None, -1)), ("x", None, (2.5,)), ("x", None, (True,))],
)
def test_an_input_is_checked(arguments):
    with pytest.raises(ArgumentError, match="an input needs a name and sizes"):
        Input(*arguments)


@pytest.mark.parametrize(
    ("module", "inputs"),
    [(nn.Linear(1, 1), []), (len, None), (nn.Linear(1, 1), ["x"]), (nn.Linear(1, 1), [Input("x"), Input("x")])],
)
def test_a_graph_is_checked(module, inputs):
    with pytest.raises(ArgumentError, match="needs a module and inputs"):
        Graph(module, inputs)


@pytest.mark.parametrize("make", [two, lambda: two().module], ids=["graph", "module"])
def test_the_laws_of_models_hold(make):
    model = make()
    assert isinstance(model, Model)
    check_model(model, A, B)


def test_backward_uses_the_last_forward_once():
    graph = two()
    a = A.detach().requires_grad_()
    output = graph.forward(a, B)
    grads = graph.backward(ts.ones_like(output))
    expected = graph.backward(ts.ones_like(output), a, B)
    np.testing.assert_allclose(np.asarray(grads[0]), np.asarray(expected[0]))
    assert grads[1] is None
    with pytest.raises(GraphError, match="follows a forward under gradients"):
        graph.backward(ts.ones_like(output))
    with ts.no_grad():
        graph.forward(a, B)
    with pytest.raises(GraphError, match="follows a forward under gradients"):
        graph.backward(ts.ones_like(output))


def test_backward_is_captured():
    graph, seed = two(), ts.asarray(np.random.default_rng(1).normal(size=(4, 2)))
    expected = graph.backward(seed, A, B)
    weight = graph.module.linear.weight
    eager, weight.grad = np.asarray(weight.grad), None
    found = ts.compile(lambda a, b, seed: graph.backward(seed, a, b))(A, B, seed)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(weight.grad), eager, rtol=1e-12)


def test_integer_inputs_have_no_gradient():
    graph = Graph(nn.Embedding(5, 2), inputs=[Input("token", ts.int64, shape=(None,))])
    grads = graph.backward(ts.ones((3, 2)), ts.asarray([0, 1, 1]))
    assert grads == (None,)
    assert graph.module.weight.grad.tolist()[1] == [2.0, 2.0]


def test_a_recurrent_graph_gives_output_and_state():
    graph = Graph(nn.GRU(2, 3, batch_first=True), recurrent=True)
    x = ts.randn((4, 5, 2))
    output = graph(x)
    first, state = graph.advance(None, x[:, :2])
    rest, _ = graph.advance(state, x[:, 2:])
    np.testing.assert_allclose(np.asarray(ts.concat([first, rest], axis=1).detach()), np.asarray(output.detach()), 1e-5)
    with pytest.raises(GraphError, match="only a recurrent graph has a state"):
        two().advance(None, A, B)


def test_mode_and_state_are_the_modules():
    graph, other = two(), two()
    assert not graph.eval().module.training
    assert graph.train().module.linear.training
    other.module.linear.weight.copy_(ts.zeros((2, 3), dtype=ts.float64))
    graph.load_state_dict(other.state_dict())
    assert not np.asarray(graph.module.linear.weight).any()
    assert "inputs=[Input('a', float64, shape=(None, 3))" in repr(graph)
