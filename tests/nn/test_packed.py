"""Sequences of different lengths: packed runs are the runs of each sequence alone."""

import itertools
import pickle

import numpy as np
import pytest
from tests.nn.checks import check_gradients, flat, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, GraphError, ShapeError
from trainsmith.nn.utils import rnn

LENGTHS = [3, 5, 1, 3]
KINDS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}


def sequences(width=2):
    return [numbers(length, width, seed=i) for i, length in enumerate(LENGTHS)]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_run_is_that_of_each_sequence_alone(kind, given, batch_first):
    options = {"num_layers": 2, "bidirectional": True, "dtype": ts.float64}
    layer = KINDS[kind](2, 3, batch_first=batch_first, **options)
    parts = [ts.asarray(x) for x in sequences()]
    count = 2 if kind == "LSTM" else 1
    states = [ts.asarray(numbers(4, 4, 3, seed=9 + i)) for i in range(count)]
    pick = lambda i: tuple(state[:, i] for state in states) if count == 2 else states[0][:, i]  # noqa: E731
    packed = rnn.pack_sequence(parts, enforce_sorted=False)
    hx = (tuple(states) if count == 2 else states[0]) if given else None
    output, last = layer(packed, hx)
    outputs = rnn.unpack_sequence(output)
    for i, part in enumerate(parts):
        alone, end = layer(part, pick(i) if given else None)
        np.testing.assert_allclose(outputs[i], alone.detach(), atol=1e-12)
        for one, other in zip(flat(last), flat(end), strict=True):
            np.testing.assert_allclose(one.detach()[:, i], other.detach(), atol=1e-12)


def test_a_compiled_function_packs_inside():
    layer = nn.LSTM(2, 3, batch_first=True)
    x = ts.asarray(numbers(4, 5, 2).astype("f4"))

    def run(x):
        packed = rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
        return rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)[0]

    np.testing.assert_allclose(ts.compile(run)(x), run(x).detach(), atol=1e-6)
    with pytest.raises(GraphError):
        ts.compile(lambda x, lengths: rnn.pack_padded_sequence(x, lengths).data)(x, ts.asarray([4, 4, 1, 1, 1]))


def test_gradients_reach_the_steps_that_count_alone():
    layer = nn.GRU(2, 2, bidirectional=True, dtype=ts.float64)

    def run(x):
        packed = rnn.pack_padded_sequence(x, [1, 3], enforce_sorted=False)
        return rnn.pad_packed_sequence(layer(packed)[0])[0]

    check_gradients(run, numbers(3, 2, 2))
    x = ts.asarray(numbers(3, 2, 2)).requires_grad_()
    ts.sum(run(x)).backward()
    reached = np.asarray(x.grad) != 0
    assert reached[0].all()
    assert reached[1:, 1].all()
    assert not reached[1:, 0].any()


@pytest.mark.parametrize(("batch_first", "side"), list(itertools.product([False, True], ["right", "left"])))
def test_padding_goes_where_it_is_asked_for(batch_first, side):
    parts = sequences()
    padded = np.asarray(rnn.pad_sequence([ts.asarray(x) for x in parts], batch_first, 7.0, side))
    padded = padded if batch_first else padded.swapaxes(0, 1)
    for row, part in zip(padded, parts, strict=True):
        space = np.full((5 - len(part), 2), 7.0)
        np.testing.assert_array_equal(row, np.concatenate([part, space] if side == "right" else [space, part]))


@pytest.mark.parametrize("batch_first", [False, True])
def test_packing_is_undone(batch_first):
    parts = [ts.asarray(x) for x in sequences()]
    padded = rnn.pad_sequence(parts, batch_first)
    packed = rnn.pack_padded_sequence(padded, ts.asarray(LENGTHS), batch_first, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [4, 3, 3, 1, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 3, 2]
    back, lengths = rnn.pad_packed_sequence(pickle.loads(pickle.dumps(packed)), batch_first, total_length=6)
    assert lengths.tolist() == LENGTHS
    assert back.shape[1 if batch_first else 0] == 6
    for part, other in zip(parts, rnn.unpad_sequence(back, lengths, batch_first), strict=True):
        np.testing.assert_array_equal(part, other)


def test_a_projection_makes_states_small():
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2, dtype=ts.float64)
    assert layer.state_dict()["weight_hr_l1_reverse"].shape == (2, 4)
    assert layer.state_dict()["weight_ih_l1"].shape == (16, 4)
    x = numbers(5, 2, 3)
    output, (h, c) = layer(ts.asarray(x))
    assert (output.shape, h.shape, c.shape) == ((5, 2, 4), (4, 2, 2), (4, 2, 4))
    single = nn.LSTM(3, 4, proj_size=2, dtype=ts.float64)
    held = {name: np.asarray(value) for name, value in single.state_dict().items()}
    h, c = np.zeros((2, 2)), np.zeros((2, 4))
    for step in x:
        gates = step @ held["weight_ih_l0"].T + held["bias_ih_l0"] + h @ held["weight_hh_l0"].T + held["bias_hh_l0"]
        i, f, o = (1 / (1 + np.exp(-gates[:, 4 * k : 4 * k + 4])) for k in (0, 1, 3))
        c = f * c + i * np.tanh(gates[:, 8:12])
        h = (o * np.tanh(c)) @ held["weight_hr_l0"].T
    np.testing.assert_allclose(np.asarray(single(ts.asarray(x))[0])[-1], h, atol=1e-12)
    check_gradients(lambda x: single(x), numbers(2, 1, 3))


X = ts.ones((5, 2, 3))
REFUSED = {
    "order": (lambda: rnn.pack_padded_sequence(X, [3, 5]), ArgumentError),
    "length": (lambda: rnn.pack_padded_sequence(X, [6, 5]), ArgumentError),
    "empty": (lambda: rnn.pack_padded_sequence(X, [5, 0]), ArgumentError),
    "count": (lambda: rnn.pack_padded_sequence(X, [5]), ShapeError),
    "axes": (lambda: rnn.pack_padded_sequence(ts.ones(3), [3]), ShapeError),
    "total": (lambda: rnn.pad_packed_sequence(rnn.pack_padded_sequence(X, [5, 3]), total_length=4), ArgumentError),
    "nothing": (lambda: rnn.pad_sequence([]), ArgumentError),
    "side": (lambda: rnn.pad_sequence([ts.ones(3)], padding_side="up"), ArgumentError),
    "sizes": (lambda: rnn.pad_sequence([ts.ones((3, 1)), ts.ones((3, 2))]), ShapeError),
    "features": (lambda: nn.GRU(4, 2)(rnn.pack_padded_sequence(X, [5, 3])), ShapeError),
    "projection": (lambda: nn.LSTM(3, 4, proj_size=4), ArgumentError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
