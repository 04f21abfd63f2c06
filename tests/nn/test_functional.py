"""Functions: what the reference vectors do not cover, and what is refused."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError

F = nn.functional


def tensor(*shape, seed=0):
    return ts.asarray(np.random.default_rng(seed).normal(size=shape))


def test_every_public_function_has_an_example():
    for name in F.__all__:
        assert ">>>" in getattr(F, name).__doc__, name


def test_softmax_needs_its_axis_and_takes_a_dtype():
    with pytest.raises(TypeError, match="axis"):
        F.softmax(tensor(2, 3))
    for function in (F.softmax, F.log_softmax):
        assert function(tensor(2, 3), 1, dtype=ts.float32).dtype == ts.float32
        assert function(ts.asarray([1, 2]), 0).dtype == ts.float32


def test_gelu_refuses_other_approximations():
    with pytest.raises(ArgumentError, match="gelu: expected approximate"):
        F.gelu(tensor(2), approximate="fast")


def test_one_hot_finds_the_number_of_classes():
    assert F.one_hot(ts.asarray([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.one_hot(ts.asarray([[1], [0]]), 2).shape == (2, 1, 2)
    with pytest.raises(DTypeError, match="integer classes"):
        F.one_hot(ts.asarray([0.5]))
    with pytest.raises(IndexRangeError):
        F.one_hot(ts.asarray([3]), 3)
    with pytest.raises(IndexRangeError):
        F.one_hot(ts.asarray([-1]), 3)


def test_embedding_refuses_indices_outside_the_table():
    with pytest.raises(IndexRangeError):
        F.embedding(ts.asarray([4]), tensor(4, 2))
    with pytest.raises(DTypeError):
        F.embedding(ts.asarray([1.0]), tensor(4, 2))


def test_linear_checks_sizes():
    with pytest.raises(ShapeError, match="linear"):
        F.linear(tensor(2, 3), tensor(4, 5))
    with pytest.raises(ShapeError, match=r"a bias of shape \(4,\)"):
        F.linear(tensor(2, 3), tensor(4, 3), tensor(1))


def test_dropout_is_in_place_where_asked():
    x = ts.ones(4)
    assert F.dropout(x, 1.0, inplace=True) is x
    assert x.tolist() == [0.0] * 4
    with pytest.raises(ArgumentError, match=r"p in \[0, 1\]"):
        F.dropout(x, -0.1)


def test_batch_norm_changes_the_statistics_it_was_given_and_nothing_else():
    mean, variance = ts.zeros(2), ts.ones(2)
    alias, x = mean, ts.asarray([[0.0, 1.0], [2.0, 3.0]])
    F.batch_norm(x, mean, variance, training=True, momentum=0.5)
    assert alias.tolist() == [0.5, 1.0]
    assert variance.tolist() == [1.5, 1.5]
    assert x.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert not mean.requires_grad


def test_batch_norm_keeps_the_tape_off_the_statistics():
    mean, variance = ts.zeros(1), ts.ones(1)
    x = ts.asarray([[1.0], [2.0]]).requires_grad_()
    F.batch_norm(x, mean, variance, training=True).sum().backward()
    F.batch_norm(x, mean, variance, training=True).sum().backward()
    assert mean.is_leaf
    assert x.grad.shape == (2, 1)


def test_convolutions_check_the_number_of_axes():
    for function, axes in ((F.conv1d, 1), (F.conv2d, 2), (F.conv3d, 3)):
        weight = tensor(2, 1, *([2] * axes))
        assert function(tensor(1, *([3] * axes)), weight).shape == (2, *([2] * axes))
        assert function(tensor(4, 1, *([3] * axes)), weight, padding="valid").shape == (4, 2, *([2] * axes))
        assert function(tensor(4, 1, *([3] * axes)), weight, padding="same").shape == (4, 2, *([3] * axes))
        with pytest.raises(ShapeError, match=function.__name__):
            function(tensor(3), weight)
        with pytest.raises(ArgumentError, match='padding "same", "valid" or sizes'):
            function(tensor(1, *([3] * axes)), weight, padding="some")


@pytest.mark.parametrize("function", [F.mse_loss, F.binary_cross_entropy_with_logits])
def test_losses_never_broadcast(function):
    with pytest.raises(ShapeError, match="a loss never broadcasts"):
        function(tensor(3, 1), tensor(3))
    with pytest.raises(ArgumentError, match="reduction"):
        function(tensor(3), tensor(3), reduction="average")


def test_cross_entropy_refuses_classes_that_are_not_there():
    with pytest.raises(IndexRangeError):
        F.cross_entropy(tensor(2, 3), ts.asarray([0, 3]))
    with pytest.raises(ShapeError, match="class indices of shape"):
        F.cross_entropy(tensor(2, 3), ts.asarray([[0], [1]]))
    with pytest.raises(ArgumentError, match="label_smoothing"):
        F.cross_entropy(tensor(2, 3), ts.asarray([0, 1]), label_smoothing=2.0)


PADS = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", PADS)
def test_pad_agrees_with_numpy(mode):
    x = np.random.default_rng(0).normal(size=(2, 4, 5))
    got = F.pad(ts.asarray(x), (2, 1, 0, 3), mode=mode).numpy()
    np.testing.assert_array_equal(got, np.pad(x, ((0, 0), (0, 3), (2, 1)), mode=PADS[mode]))


def test_pad_with_a_constant_also_cuts():
    x = ts.asarray([[1.0, 2.0, 3.0]])
    assert F.pad(x, (-1, 1), value=9.0).tolist() == [[2.0, 3.0, 9.0]]
    assert F.pad(x, (0, 0, 1, 0)).tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("pad", "mode", "error"),
    [
        ((1,), "constant", ShapeError),
        ((1, 1, 1, 1), "constant", ShapeError),
        ((-3, -1), "constant", ShapeError),
        ((3, 0), "reflect", ShapeError),
        ((4, 0), "circular", ShapeError),
        ((-1, 0), "replicate", ShapeError),
        ((1, 1), "mirror", ArgumentError),
    ],
)
def test_pad_refuses(pad, mode, error):
    with pytest.raises(error, match="pad: expected"):
        F.pad(ts.ones(3), pad, mode=mode)
