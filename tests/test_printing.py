"""How tensors show themselves."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import DTypeError


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (lambda: ts.asarray(1.5), "tensor(1.5, dtype=float32)"),
        (lambda: ts.asarray([1, 2]), "tensor([1, 2], dtype=int64)"),
        (lambda: ts.asarray([True]), "tensor([ True], dtype=bool)"),
        (lambda: ts.asarray([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]], dtype=float32)"),
        (lambda: ts.zeros((0,)), "tensor([], dtype=float32)"),
        (lambda: ts.zeros((0, 3)), "tensor([], shape=(0, 3), dtype=float32)"),
        (lambda: ts.asarray([1.0], dtype=ts.bfloat16), "tensor([1.], dtype=bfloat16)"),
        (lambda: ts.asarray([1.0]).requires_grad_(), "tensor([1.], dtype=float32, requires_grad=True)"),
        (lambda: ts.asarray([1.0]).requires_grad_() * 2, "tensor([2.], dtype=float32, requires_grad=True)"),
        (lambda: ts.ones(1, device="reference"), "tensor([1.], dtype=float32, device='reference')"),
        (lambda: nn.Parameter(ts.asarray([1.0])), "Parameter([1.], dtype=float32)"),
        (
            lambda: nn.Parameter(ts.asarray([1.0]), requires_grad=False),
            "Parameter([1.], dtype=float32, requires_grad=False)",
        ),
        (lambda: nn.Buffer(ts.asarray([1])), "Buffer([1], dtype=int64)"),
    ],
)
def test_repr(tensor, text):
    assert repr(tensor()) == text
    assert str(tensor()) == text


def test_long_tensors_are_shortened():
    assert len(repr(ts.zeros(100_000))) < 200


def test_recorded_tensor_shows_its_shape():
    seen = []

    @ts.compile
    def step(x):
        seen.extend([repr(x), repr(x * 2), f"{x}"])
        return x

    step(ts.ones((2, 3)))
    assert seen == ["tensor(shape=(2, 3), dtype=float32)"] * 3


def test_recorded_tensor_that_was_kept_shows_its_shape():
    kept = []
    ts.compile(lambda x: kept.append(x * 2) or x)(ts.ones(2))
    assert repr(kept[0]) == "tensor(shape=(2,), dtype=float32)"


def test_format_is_that_of_the_number():
    assert f"{ts.asarray(1.23456):.2f} {ts.asarray(7):05d} {ts.asarray(0.5)}" == "1.23 00007 0.5"
    assert f"{ts.asarray([1, 2])}" == repr(ts.asarray([1, 2]))
    with pytest.raises(DTypeError, match="format: expected a 0-d tensor"):
        f"{ts.asarray([1.0]):.2f}"


def test_printing_follows_numpys_options():
    with np.printoptions(precision=2):
        assert repr(ts.asarray([1.23456])) == "tensor([1.23], dtype=float32)"
