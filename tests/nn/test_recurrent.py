"""Recurrent layers against loops in NumPy: every cell, layout, direction and stack."""

import itertools
import time

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, flat, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError

KINDS = {"RNN": (nn.RNN, nn.RNNCell, 1), "LSTM": (nn.LSTM, nn.LSTMCell, 4), "GRU": (nn.GRU, nn.GRUCell, 3)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, x, states, w_ih, w_hh, b_ih, b_hh, relu=False):
    a, b = x @ w_ih.T + b_ih, states[0] @ w_hh.T + b_hh
    if kind == "RNN":
        return (np.maximum(a + b, 0) if relu else np.tanh(a + b),)
    if kind == "LSTM":
        i, f, g, o = np.split(a + b, 4, axis=-1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (ar, az, an), (br, bz, bn) = np.split(a, 3, axis=-1), np.split(b, 3, axis=-1)
    r, z = sigmoid(ar + br), sigmoid(az + bz)
    return ((1 - z) * np.tanh(an + r * bn) + z * states[0],)


def walk(kind, layer, x, states):
    """Gives the outputs of all layers over x (steps, n, features), and the last states."""
    held = {name: np.asarray(value) for name, value in layer.state_dict().items()}
    directions = 2 if layer.bidirectional else 1
    last = []
    for number in range(layer.num_layers):
        outputs = []
        for reverse in range(directions):
            suffix = f"l{number}{'_reverse' if reverse else ''}"
            weights = [held[f"weight_{part}_{suffix}"] for part in ("ih", "hh")]
            weights += [held.get(f"bias_{part}_{suffix}", 0.0) for part in ("ih", "hh")]
            now = tuple(state[number * directions + reverse] for state in states)
            output = np.empty((*x.shape[:2], layer.hidden_size))
            for t in range(len(x))[:: -1 if reverse else 1]:
                now = step(kind, x[t], now, *weights, relu=getattr(layer, "nonlinearity", "") == "relu")
                output[t] = now[0]
            outputs.append(output)
            last.append(now)
        x = np.concatenate(outputs, axis=-1)
    return x, [np.stack(group) for group in zip(*last, strict=True)]


OPTIONS = [
    {},
    {"bias": False},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 3, "batch_first": True},
    {"bidirectional": True, "batch_first": True},
]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_layers_walk_as_plain_loops_do(kind, options, given):
    layer = KINDS[kind][0](3, 4, dtype=ts.float64, **options)
    loops = layer.num_layers * (2 if layer.bidirectional else 1)
    count = 2 if kind == "LSTM" else 1
    states = [numbers(loops, 2, 4, seed=1 + i) if given else np.zeros((loops, 2, 4)) for i in range(count)]
    x = numbers(5, 2, 3)
    output, last = walk(kind, layer, x, states)
    hx = tuple(map(ts.asarray, states)) if count == 2 else ts.asarray(states[0])
    turned = np.swapaxes(x, 0, 1) if layer.batch_first else x
    got = flat(layer(ts.asarray(turned), hx) if given else layer(ts.asarray(turned)))
    want = np.swapaxes(output, 0, 1) if layer.batch_first else output
    for one, other in zip(got, [want, *last], strict=True):
        np.testing.assert_allclose(np.asarray(one), other, atol=1e-12)
    if layer.batch_first:
        return
    hx = tuple(ts.asarray(s[:, 0]) for s in states)
    alone = flat(layer(ts.asarray(x[:, 0]), hx if count == 2 else hx[0]))
    for one, other in zip(alone, [output[:, 0], *(s[:, 0] for s in last)], strict=True):
        np.testing.assert_allclose(np.asarray(one), other, atol=1e-12)


def test_relu_may_take_the_place_of_tanh():
    layer = nn.RNN(3, 4, nonlinearity="relu", dtype=ts.float64)
    x = numbers(5, 2, 3)
    want, _ = walk("RNN", layer, x, [np.zeros((1, 2, 4))])
    np.testing.assert_allclose(np.asarray(layer(ts.asarray(x))[0]), want, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_one_step(kind):
    _, make, gates = KINDS[kind]
    cell, count = make(3, 4, dtype=ts.float64), 2 if kind == "LSTM" else 1
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert list(cell.state_dict()) == list(names)
    assert [cell.state_dict()[name].shape[0] for name in names] == [4 * gates] * 4
    x, states = numbers(2, 3), [numbers(2, 4, seed=1 + i) for i in range(count)]
    want = step(kind, x, states, *(np.asarray(cell.state_dict()[name]) for name in names))
    hx = tuple(map(ts.asarray, states))
    for one, other in zip(flat(cell(ts.asarray(x), hx if count == 2 else hx[0])), want, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, atol=1e-12)
    hx = tuple(ts.asarray(state[1]) for state in states)
    for one, other in zip(flat(cell(ts.asarray(x[1]), hx if count == 2 else hx[0])), want, strict=True):
        np.testing.assert_allclose(np.asarray(one), other[1], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_named_and_drawn_as_torchs(kind):
    make, _, gates = KINDS[kind]
    layer = make(3, 4, num_layers=2, bidirectional=True)
    suffixes = ("l0", "l0_reverse", "l1", "l1_reverse")
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert list(layer.state_dict()) == [f"{part}_{suffix}" for suffix, part in itertools.product(suffixes, parts)]
    assert layer.state_dict()["weight_ih_l1"].shape == (4 * gates, 8)
    assert all(np.abs(np.asarray(value)).max() <= 0.5 for value in layer.state_dict().values())


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_inputs_states_and_weights(kind):
    layer = KINDS[kind][0](2, 2, num_layers=2, bidirectional=True, dtype=ts.float64)
    hx = numbers(4, 1, 2)
    pair = (lambda h: (h, h * 0.5)) if kind == "LSTM" else (lambda h: h)
    check_gradients(lambda x, h: layer(x, pair(h)), numbers(3, 1, 2), hx)
    check_captured(lambda x, h: layer(x, pair(h)), numbers(3, 1, 2), hx)
    ts.sum(flat(layer(ts.asarray(numbers(3, 1, 2))))[0]).backward()
    assert all(param.grad is not None for param in layer.parameters())


def test_dropout_between_layers_acts_in_training_alone():
    layer = nn.GRU(2, 8, num_layers=2, dropout=0.5)
    x = ts.asarray(numbers(4, 3, 2).astype("f4"))
    first, second = (np.asarray(layer(x)[0]) for _ in range(2))
    assert np.abs(first - second).max() > 0
    layer.eval()
    np.testing.assert_array_equal(np.asarray(layer(x)[0]), np.asarray(layer(x)[0]))


REFUSED = {
    "features": (lambda: nn.LSTM(3, 4)(ts.ones((5, 2, 2))), ShapeError),
    "state": (lambda: nn.GRU(3, 4)(ts.ones((5, 2, 3)), ts.ones((1, 3, 4))), ShapeError),
    "one state of two": (lambda: nn.LSTM(3, 4)(ts.ones((5, 2, 3)), (ts.ones((1, 2, 4)),)), ShapeError),
    "dropout": (lambda: nn.GRU(3, 4, dropout=1.5), ArgumentError),
    "size": (lambda: nn.GRU(3, 0), ArgumentError),
    "nonlinearity": (lambda: nn.RNN(3, 4, nonlinearity="sine"), ArgumentError),
    "features of a cell": (lambda: nn.LSTMCell(3, 4)(ts.ones((2, 2))), ShapeError),
    "state of a cell": (lambda: nn.GRUCell(3, 4)(ts.ones((2, 3)), ts.ones((1, 4))), ShapeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
@pytest.mark.parametrize("dtype", [ts.float32, ts.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_captured_training_follows_eager_training(kind, dtype, options):
    def losses(captured):
        ts.manual_seed(0)
        layer = KINDS[kind][0](3, 8, batch_first=True, **options)
        head = nn.Linear(8 * (2 if layer.bidirectional else 1), 1)
        model = nn.ModuleList([layer, head]).to(dtype)
        optimizer = ts.optim.AdamW(model.parameters(), lr=1e-2)
        x, y = ts.asarray(numbers(16, 12, 3), dtype=dtype), ts.asarray(numbers(16, 1), dtype=dtype)

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(head(layer(x)[0][:, -1]), y)
            loss.backward()
            optimizer.step()
            return loss

        run = ts.compile(step) if captured else step
        return np.asarray([float(run(x, y)) for _ in range(50)])

    eager, captured = losses(False), losses(True)
    assert np.abs(eager - captured).max() / eager[0] <= (1e-5 if dtype == ts.float32 else 1e-12)
    assert eager[-1] < eager[0]


def seconds_of_planning(length):
    """Gives how long the first captured step takes beyond a later one, the best of some."""
    best = np.inf
    for _ in range(5):
        layer = nn.LSTM(4, 4)
        x = ts.zeros((length, 2, 4))

        @ts.compile
        def step(x, layer=layer):
            layer.zero_grad()
            loss = layer(x)[0].sum()
            loss.backward()
            return loss

        times = [time.process_time()]
        for _ in range(2):
            step(x)
            times.append(time.process_time())
        best = min(best, 2 * times[1] - times[0] - times[2])
    return best


def test_long_sequences_plan_as_fast_as_short_ones():
    assert seconds_of_planning(1000) <= 1.2 * seconds_of_planning(60) + 1e-3
