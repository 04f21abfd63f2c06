"""Loops over leading axes against loops in Python."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, GraphError, ShapeError


def running(carry, x):
    new = carry * 0.5 + x
    return new, new * 2


def in_python(f, init, xs, reverse=False):
    carry, ys = init, []
    order = range(len(xs))
    for t in reversed(order) if reverse else order:
        carry, y = f(carry, xs[t])
        ys.append(y)
    return carry, np.stack(ys[::-1] if reverse else ys)


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_the_loop(reverse):
    xs = np.random.default_rng(0).normal(size=(5, 3))
    carry, ys = ts.scan(running, ts.zeros(3, dtype=ts.float64), ts.asarray(xs), reverse=reverse)
    want_carry, want_ys = in_python(running, np.zeros(3), xs, reverse)
    np.testing.assert_allclose(carry, want_carry)
    np.testing.assert_allclose(ys, want_ys)


def test_carries_and_slices_may_be_trees():
    def f(carry, x):
        total, count = carry["total"] + x[0] * x[1]["w"], carry["count"] + 1
        return {"total": total, "count": count}, (total, [x[0]])

    xs = (ts.asarray([1.0, 2.0, 3.0]), {"w": ts.asarray([10.0, 20.0, 30.0])})
    carry, (totals, [first]) = ts.scan(f, {"total": ts.asarray(0.0), "count": ts.asarray(0)}, xs)
    assert (float(carry["total"]), int(carry["count"])) == (140.0, 3)
    assert totals.tolist() == [10.0, 50.0, 140.0]
    assert first.tolist() == [1.0, 2.0, 3.0]


def test_loop_without_slices_has_a_length():
    carry, ys = ts.scan(lambda c, _: (c * 2, None), ts.asarray(1), length=10)
    assert (carry.item(), ys) == (1024, None)
    carry, ys = ts.scan(lambda c, _: (c + 1, c), ts.asarray(0), length=3)
    assert ys.tolist() == [0, 1, 2]


def test_python_numbers_become_tensors():
    carry, ys = ts.scan(lambda c, x: (c + x, 1.0), 0.0, np.array([1.0, 2.0], "float32"))
    assert float(carry) == 3.0
    assert ys.tolist() == [1.0, 1.0]


def test_no_turns_give_the_first_carry():
    carry, ys = ts.scan(running, ts.ones(2), ts.zeros((0, 2)))
    assert carry.tolist() == [1.0, 1.0]
    assert ys.shape == (0, 2)


def test_gradients_reach_carry_slices_and_outside():
    w = ts.asarray(0.7, dtype=ts.float64)
    xs = ts.asarray(np.array([1.0, -2.0, 0.5]))

    def f(w, start, xs):
        last, ys = ts.scan(lambda c, x: (ts.tanh(w * c + x), c * x), start, xs)
        return last + ts.sum(ys**2)

    def loop(w, start, xs):
        carry, total = start, 0.0
        for t in range(3):
            carry, y = ts.tanh(w * carry + xs[t]), carry * xs[t]
            total = total + y**2
        return carry + total

    start = ts.asarray(0.3, dtype=ts.float64)
    for got, want in zip(ts.grad(f, (0, 1, 2))(w, start, xs), ts.grad(loop, (0, 1, 2))(w, start, xs)):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    second = ts.grad(lambda v: ts.sum(ts.grad(f, 2)(w, start, v) ** 2))(xs)
    wanted = ts.grad(lambda v: ts.sum(ts.grad(loop, 2)(w, start, v) ** 2))(xs)
    np.testing.assert_allclose(second, wanted, rtol=1e-10)


def test_backward_through_a_loop_reaches_a_parameter():
    p = ts.nn.Parameter(ts.asarray(2.0))
    last, _ = ts.scan(lambda c, x: (c * p + x, None), ts.asarray(1.0), ts.asarray([1.0, 1.0]))
    last.backward()
    assert p.grad.item() == 5.0


def test_captured_loop_is_the_eager_one():
    step = ts.compile(lambda init, xs: ts.scan(running, init, xs))
    xs = ts.asarray([[1.0], [2.0]])
    want = ts.scan(running, ts.ones(1), xs)
    for _ in range(2):
        carry, ys = step(ts.ones(1), xs)
        assert (carry.tolist(), ys.tolist()) == (want[0].tolist(), want[1].tolist())


def changes_outside():
    outside = ts.zeros(1)

    def body(c, x):
        nonlocal outside
        outside += x
        return c, None

    return ts.scan(body, ts.zeros(1), ts.ones((2, 1)))


def looped(body, init=1.0, xs=(1.0, 1.0)):
    return lambda: ts.scan(body, ts.asarray(init), ts.asarray(xs))


REFUSED = {
    "nothing to walk": (lambda: ts.scan(running, ts.ones(1)), ArgumentError, "scanned tensors, or length"),
    "two lengths": (
        lambda: ts.scan(running, ts.ones(1), ts.ones((2, 1)), length=3),
        ArgumentError,
        "length=3 and xs of length",
    ),
    "different slices": (
        lambda: ts.scan(running, ts.ones(1), (ts.ones(2), ts.ones(3))),
        ShapeError,
        "one leading length",
    ),
    "0-d slices": (looped(running, xs=1.0), ShapeError, "one leading length"),
    "no pair": (looped(lambda c, x: c), ArgumentError, r"a function that gives \(carry, y\)"),
    "another structure": (looped(lambda c, x: ((c, c), None)), ArgumentError, "a carry of the structure"),
    "another shape": (looped(lambda c, x: (ts.stack([c, x]), None)), ShapeError, "carry"),
    "side effects": (changes_outside, GraphError, "a function without side effects"),
    "random numbers": (looped(lambda c, x: (c + ts.rand(), None)), GraphError, "draw random numbers before the loop"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused(case):
    call, kind, says = REFUSED[case]
    with pytest.raises(kind, match=says) as caught:
        call()
    assert caught.value.op == "scan"
    assert not ts._core.recording()
