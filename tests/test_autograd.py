"""Gradients: backward, functional gradients, modes."""

import gc
import threading
import weakref

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, GraphError, ShapeError


def cube(x):
    return ts.sum(x**3)


def test_backward_adds_up_until_cleared():
    x = ts.asarray([1.0, 2.0]).requires_grad_()
    cube(x).backward()
    cube(x).backward()
    assert x.grad.tolist() == [6.0, 24.0]
    x.grad = None
    cube(x).backward()
    assert x.grad.tolist() == [3.0, 12.0]


def test_backward_frees_the_tape_unless_kept():
    x = ts.asarray([1.0]).requires_grad_()
    y = cube(x)
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(GraphError, match="retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [6.0]


def test_backward_takes_the_gradient_of_the_result():
    x = ts.asarray([1.0, 2.0]).requires_grad_()
    (x * x).backward(ts.asarray([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]
    with pytest.raises(ShapeError, match="a loss with one element"):
        (x * x).backward()
    with pytest.raises(ShapeError, match="a gradient of"):
        (x * x).backward(ts.asarray([1.0]))


def test_backward_of_a_constant_is_refused():
    with pytest.raises(GraphError, match="expected a tensor computed from leaves with requires_grad"):
        cube(ts.ones(2)).backward()


def test_backward_with_create_graph_can_be_differentiated():
    x = ts.asarray([2.0]).requires_grad_()
    cube(x).backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward()
    assert x.grad.tolist() == [12.0]


def test_results_keep_no_gradient():
    x = ts.asarray([2.0]).requires_grad_()
    y = x * 2
    y.sum().backward()
    assert y.grad is None
    assert not y.is_leaf
    assert x.is_leaf


def test_gradient_can_be_set():
    x = ts.asarray([2.0]).requires_grad_()
    x.grad = ts.asarray([5.0])
    (x * 1).sum().backward()
    assert x.grad.tolist() == [6.0]
    with pytest.raises(ShapeError, match="a gradient of"):
        x.grad = ts.ones(2)


def test_results_that_are_not_floating_require_no_gradient():
    x = ts.asarray([2.0]).requires_grad_()
    for result in (x > 1, ts.argmax(x), ts.argsort(x), x.astype(ts.int64), ts.isnan(x)):
        assert not result.requires_grad


def test_functional_gradient_is_the_derivative():
    assert ts.grad(cube)(ts.asarray([1.0, 2.0])).tolist() == [3.0, 12.0]
    assert float(ts.grad(lambda x: x * x)(3.0)) == 6.0
    assert ts.grad(cube)(np.array([1.0, 2.0])).dtype == ts.float64


def test_argnums_choose_the_arguments():
    def f(x, y, *, scale=1.0):
        return ts.sum(x * y * y) * scale

    x, y = ts.asarray([1.0, 2.0]), ts.asarray([3.0, 4.0])
    assert ts.grad(f, 1)(x, y).tolist() == [6.0, 16.0]
    assert ts.grad(f, -1)(x, y, scale=2.0).tolist() == [12.0, 32.0]
    both = ts.grad(f, (1, 0))(x, y)
    assert isinstance(both, tuple)
    assert [g.tolist() for g in both] == [[6.0, 16.0], [9.0, 16.0]]
    one = ts.grad(f, (0,))(x, y)
    assert isinstance(one, tuple)
    assert len(one) == 1


def test_arguments_may_be_trees():
    def loss(params, x):
        return ts.sum(params["w"] * x) + ts.sum(params["layers"][1] ** 2)

    params = {"w": ts.asarray([1.0, 2.0]), "layers": [ts.ones(1), ts.asarray([3.0])]}
    found = ts.grad(loss)(params, ts.asarray([5.0, 6.0]))
    assert found["w"].tolist() == [5.0, 6.0]
    assert [g.tolist() for g in found["layers"]] == [[0.0], [6.0]]


def test_argument_without_influence_has_a_zero_gradient():
    gx, gy = ts.grad(lambda x, y: ts.sum(x), (0, 1))(ts.ones(2), ts.ones(3))
    assert (gx.tolist(), gy.tolist()) == ([1.0, 1.0], [0.0, 0.0, 0.0])
    assert ts.grad(lambda x: ts.asarray(1.0))(ts.ones(2)).tolist() == [0.0, 0.0]


def test_gradients_nest():
    f = ts.grad(ts.grad(ts.grad(lambda x: x**4)))
    assert float(f(2.0)) == 48.0
    mixed = ts.grad(lambda x: ts.grad(lambda y: x * y * y)(3.0))
    assert float(mixed(2.0)) == 6.0
    shadow = ts.grad(lambda x: x * ts.grad(lambda y: x * y)(1.0))
    assert float(shadow(5.0)) == 10.0


def test_value_comes_with_the_gradient():
    value, gradient = ts.value_and_grad(cube)(ts.asarray([2.0]))
    assert (float(value), gradient.tolist()) == (8.0, [12.0])
    (value, aux), gradients = ts.value_and_grad(lambda x: (cube(x), {"x": x + 1}), (0,), has_aux=True)(
        ts.asarray([2.0])
    )
    assert (float(value), aux["x"].tolist(), gradients[0].tolist()) == (8.0, [3.0], [12.0])
    with pytest.raises(ArgumentError, match=r"value_and_grad: expected a function that gives \(value, aux\)"):
        ts.value_and_grad(cube, has_aux=True)(ts.ones(1))


def test_results_of_functional_gradients_carry_no_tape():
    (value, aux), gradient = ts.value_and_grad(lambda x: (cube(x), x * 2), has_aux=True)(ts.ones(2))
    assert not value.requires_grad
    assert not aux.requires_grad
    assert not gradient.requires_grad
    y, pullback = ts.vjp(cube, ts.ones(2))
    assert not y.requires_grad
    assert not pullback(1.0)[0].requires_grad


def test_descent_keeps_no_step_alive():
    w = ts.asarray([1.0])
    first = weakref.ref(w)
    for _ in range(3):
        w = w - 0.1 * ts.grad(cube)(w)
    gc.collect()
    assert first() is None
    assert w.is_leaf


def test_functional_gradient_reaches_parameters_outside():
    p = nn.Parameter(ts.asarray([2.0]))
    value, gradient = ts.value_and_grad(lambda x: ts.sum(p * x * x))(ts.asarray([3.0]))
    assert value.requires_grad
    (gradient.sum() + value).backward()
    assert p.grad.tolist() == [6.0 + 9.0]


def test_functional_gradient_of_a_leaf_is_its_own():
    x = ts.asarray([3.0]).requires_grad_()
    gradient = ts.grad(cube)(x)
    assert x.grad is None
    gradient.sum().backward()
    assert x.grad.tolist() == [18.0]


def test_functional_gradient_works_inside_no_grad():
    p = nn.Parameter(ts.asarray([2.0]))
    with ts.no_grad():
        gradient = ts.grad(lambda x: ts.sum(p * x * x))(ts.asarray([3.0]))
        assert not ts.is_grad_enabled()
    assert gradient.tolist() == [12.0]
    assert not gradient.requires_grad


def test_no_grad_inside_stops_the_gradient():
    def f(x):
        with ts.no_grad():
            weight = x * 2
        return ts.sum(x * weight)

    assert ts.grad(f)(ts.asarray([3.0])).tolist() == [6.0]
    assert ts.grad(lambda x: ts.sum(x * x.detach()))(ts.asarray([3.0])).tolist() == [3.0]


def test_vjp_pulls_back_any_number_of_times():
    def f(x, tree):
        return {"a": x * tree[0], "b": ts.sum(x)}

    out, pullback = ts.vjp(f, ts.asarray([1.0, 2.0]), (ts.asarray([3.0, 4.0]),))
    assert out["a"].tolist() == [3.0, 8.0]
    for scale in (1.0, 10.0):
        gx, (gt,) = pullback({"a": ts.full(2, scale), "b": 0.5})
        assert gx.tolist() == [3.0 * scale + 0.5, 4.0 * scale + 0.5]
        assert gt.tolist() == [scale, 2 * scale]
    with pytest.raises(ArgumentError, match="in the structure of the function's result"):
        pullback(ts.ones(2))
    with pytest.raises(ShapeError, match="a gradient of"):
        pullback({"a": ts.ones(3), "b": 1.0})


def test_vjp_differentiates_twice():
    def f(x):
        _, pullback = ts.vjp(lambda y: y**3, x)
        return ts.sum(pullback(ts.ones(2))[0])

    assert ts.grad(f)(ts.asarray([1.0, 2.0])).tolist() == [6.0, 12.0]


def test_functional_gradients_inside_a_captured_step():
    @ts.compile
    def step(x):
        value, gradient = ts.value_and_grad(cube)(x)
        return value, gradient, ts.grad(lambda y: ts.sum(ts.grad(cube)(y)))(x)

    for _ in range(2):
        value, first, second = step(ts.asarray([1.0, 2.0]))
        assert (float(value), first.tolist(), second.tolist()) == (9.0, [3.0, 12.0], [6.0, 12.0])


REFUSED = {
    "no such argument": (
        lambda: ts.grad(cube, 1)(ts.ones(1)),
        ArgumentError,
        "argnums among the 1 positional arguments, got 1",
    ),
    "several elements": (
        lambda: ts.grad(lambda x: x)(ts.ones(2)),
        ShapeError,
        r"reduce it, for example with sum or mean, got shape \(2,\)",
    ),
    "no tensor": (lambda: ts.grad(lambda x: 3.0)(ts.ones(1)), ShapeError, "got float"),
    "integer argument": (
        lambda: ts.grad(cube)(ts.asarray([1])),
        DTypeError,
        "floating arguments to differentiate by, got int64",
    ),
    "integer result": (
        lambda: ts.grad(lambda x: ts.argmax(x))(ts.ones(2)),
        DTypeError,
        "a function that gives a floating tensor",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused(case):
    call, kind, says = REFUSED[case]
    with pytest.raises(kind, match=says) as caught:
        call()
    assert caught.value.op == "grad"


def test_error_inside_restores_the_mode():
    def fail(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), ts.no_grad():
        ts.grad(fail)(ts.ones(1))
    assert ts.is_grad_enabled()


def test_modes_nest_and_decorate():
    @ts.no_grad()
    def quiet(x):
        assert not ts.is_grad_enabled()
        return x * 2

    x = ts.ones(1).requires_grad_()
    assert not quiet(x).requires_grad
    assert quiet.__name__ == "quiet"
    with ts.no_grad():
        with ts.enable_grad():
            assert (x * 2).requires_grad
        assert not ts.is_grad_enabled()
    mode = ts.no_grad()
    with mode, mode:
        pass
    assert ts.is_grad_enabled()


def test_set_grad_enabled_switches_at_once_and_restores_in_a_block():
    ts.set_grad_enabled(False)
    assert not ts.is_grad_enabled()
    ts.set_grad_enabled(True)
    with ts.set_grad_enabled(False):
        assert not ts.is_grad_enabled()
    assert ts.is_grad_enabled()


def test_mode_belongs_to_a_thread():
    seen = []
    with ts.no_grad():
        thread = threading.Thread(target=lambda: seen.append(ts.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]
