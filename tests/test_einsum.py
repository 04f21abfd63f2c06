"""Sums of products by letters: NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(5)
SIZES = {"a": 2, "b": 3, "c": 4, "d": 1, "i": 3, "j": 2}
EQUATIONS = [
    "ab",
    "ba",
    "aa",
    "aa->a",
    "aab->b",
    "abab->ba",
    "aaa",
    "ab->",
    "ab->ba",
    "ab,bc",
    "ab,bc->ca",
    "ab,ab->",
    "ab,ab->ab",
    "a,b->ba",
    "abc,abc->b",
    "iab,icb->iac",
    "ab,bc,cd->ad",
    "a,ab,abc->c",
    "aab,bcc->ac",
    ",ab->ba",
    "ab, bc -> ac",
    "dbc,abc->ad",
]


OPEN = {
    "...ij,...jk->...ik": [(2, 1, 2, 3), (4, 3, 2)],
    "...i->...": [(2, 3, 4)],
    "i...->...i": [(2, 3, 4)],
    "b...,b...->b...": [(2, 3, 4), (2, 1, 4)],
    "...ij->...ji": [(2, 3)],
    "i...j,j->i...": [(2, 3, 4), (4,)],
    "...a,a": [(2, 3), (3,)],
    "...,...": [(2, 3), (3,)],
    "...ii->...i": [(2, 3, 3)],
    "...a, ...b -> a b ...": [(2, 3), (2, 4)],
}


@pytest.mark.parametrize("equation", OPEN)
def test_dots_stand_for_axes_that_broadcast(equation):
    arrays = [RNG.normal(size=shape) for shape in OPEN[equation]]
    got = ts.einsum(equation, *map(ts.asarray, arrays))
    np.testing.assert_allclose(got, np.einsum(equation, *arrays), rtol=1e-12, atol=1e-12)


def test_axes_under_dots_that_the_result_lacks_are_summed():
    x = RNG.normal(size=(2, 3, 4))
    np.testing.assert_allclose(ts.einsum("...i->i", ts.asarray(x)), x.sum((0, 1)), rtol=1e-12)


def operands(equation):
    groups = equation.split("->")[0].replace(" ", "").split(",")
    return [RNG.normal(size=[SIZES[c] for c in group]) for group in groups]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_is_numpys(equation):
    arrays = operands(equation)
    tensors = [ts.asarray(x) for x in arrays]
    want = np.einsum(equation, *arrays)
    np.testing.assert_allclose(ts.einsum(equation, *tensors), want, rtol=1e-12, atol=1e-12)
    captured = ts.compile(lambda *tensors: ts.einsum(equation, *tensors))(*tensors)
    np.testing.assert_allclose(captured, want, rtol=1e-12, atol=1e-12)


@given(st.data())
def test_any_equation_is_numpys(data):
    groups = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    letters = sorted(set("".join(groups)))
    result = "".join(data.draw(st.lists(st.sampled_from(letters), unique=True))) if letters else ""
    equation = ",".join(groups) + data.draw(st.sampled_from(["", "->" + result]))
    arrays = [RNG.normal(size=[SIZES[c] for c in group]) for group in groups]
    got = ts.einsum(equation, *[ts.asarray(x) for x in arrays])
    np.testing.assert_allclose(got, np.einsum(equation, *arrays), rtol=1e-11, atol=1e-11)


def test_sizes_of_one_are_repeated():
    got = ts.einsum("ab,ab->ab", ts.ones((1, 3)), ts.ones((2, 1)))
    assert got.shape == (2, 3)
    assert ts.einsum("ab,cb->ac", ts.ones((2, 1)), ts.ones((4, 3))).tolist() == [[3.0] * 4] * 2


def test_dtypes_promote_and_integers_stay():
    x = ts.asarray([[1, 2], [3, 4]])
    assert ts.einsum("ij,jk->ik", x, x).tolist() == [[7, 10], [15, 22]]
    assert ts.einsum("i,i", ts.ones(2), ts.ones(2, dtype=ts.float64)).dtype == ts.float64
    assert ts.einsum("ij->i", ts.zeros((2, 0))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("equation", "kind", "rule"),
    [
        ("ij,jk", ArgumentError, "one group of letters for each operand"),
        ("i-j", ArgumentError, "letters for axes"),
        ("ij->kk", ArgumentError, "different letters that operands have"),
        ("ij->ii", ArgumentError, "different letters that operands have"),
        ("ijk", ShapeError, "one letter for each axis"),
        ("ii", ShapeError, "one size for all axes named i"),
    ],
)
def test_errors(equation, kind, rule):
    with pytest.raises(kind, match=rule):
        ts.einsum(equation, ts.ones((2, 3)))


def test_nothing_to_multiply():
    with pytest.raises(ArgumentError, match="at least one operand"):
        ts.einsum("")
    with pytest.raises(DTypeError):
        ts.einsum("i,i", ts.ones(2, dtype=ts.bool), ts.ones(2, dtype=ts.bool))
