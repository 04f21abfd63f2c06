"""Each kind of layer learns a function that it was made for, and nothing where the labels are shuffled.

The control trains on labels that have lost their inputs: its error on fresh data must be that of a guess, or the test
would also pass with a layer that sees the answer.
"""

import numpy as np
import pytest
from tests.nn.learning import Task, Through, left_over, left_over_shuffled

import trainsmith as ts
from trainsmith import nn


def images(rng, n):
    """How much brighter than its surroundings the brightest pixel of noise is: a maximum after a filter."""
    x = rng.normal(size=(n, 1, 6, 6))
    inner = x[:, 0, 1:-1, 1:-1] - (x[:, 0, :-2, 1:-1] + x[:, 0, 2:, 1:-1]) / 2
    return x, inner.max((1, 2))[:, None]


def level(rng, n):
    """The mean square of a signal."""
    x = rng.normal(size=(n, 1, 12)) * rng.uniform(0.5, 2, size=(n, 1, 1))
    return x, (x**2).mean(2)


def standing(rng, n):
    """Where the first element stands among the others, whatever their level and spread."""
    x = rng.normal(size=(n, 1, 8)) * rng.uniform(0.2, 5, size=(n, 1, 1)) + rng.normal(size=(n, 1, 1)) * 5
    return x, (x[..., 0] - x.mean(2)) / x.std(2)


def bumps(rng, n):
    """A signal of twice the length: each element becomes a bump."""
    x = rng.normal(size=(n, 1, 6))
    y = np.zeros((n, 1, 14))
    for place, weight in enumerate((0.5, 1.0, -0.5, 0.25)):
        y[:, :, place : place + 11 : 2] += weight * x
    return x, y[:, :, 1:13]


def echoes(rng, n):
    """The sign that came three steps ago decides what the last number counts."""
    x = rng.normal(size=(n, 6, 1))
    return x, x[:, -1] * np.sign(x[:, -3])


def look_up(rng, n):
    """The value beside the key that equals the query: [key, value, query] in each element."""
    keys = np.stack([rng.permutation(4) for _ in range(n)])
    values, wanted = rng.normal(size=(n, 4)), rng.integers(4, size=n)
    x = np.concatenate([np.eye(4)[keys], values[..., None], np.eye(4)[np.repeat(wanted[:, None], 4, 1)]], axis=2)
    place = np.argmax(keys == wanted[:, None], axis=1)
    return x, values[np.arange(n), place][:, None]


def words(rng, n):
    """The mean worth of some words."""
    x = rng.integers(12, size=(n, 5))
    worth = np.random.default_rng(1).normal(size=12)
    return x, worth[x].mean(1, keepdims=True)


def products(rng, n):
    """A product of two numbers."""
    x = rng.normal(size=(n, 2))
    return x, x[:, :1] * x[:, 1:]


def recurrent(make, **options):
    return Through(
        lambda x, rnn, head: head(rnn(x)[0][:, -1]), make(1, 16, batch_first=True, **options), nn.Linear(16, 1)
    )


def encoder(norm_first):
    layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True, norm_first=norm_first)
    return Through(
        lambda x, into, layer, head: head(ts.mean(layer(into(x)), axis=1)), nn.Linear(9, 16), layer, nn.Linear(16, 1)
    )


def decoder():
    layer = nn.TransformerDecoderLayer(16, 2, 32, 0.0, batch_first=True)
    ask = nn.Linear(4, 16)
    return Through(
        lambda x, into, ask, layer, head: head(layer(ask(x[:, :1, 5:]), into(x[:, :, :5])))[:, 0],
        nn.Linear(5, 16),
        ask,
        layer,
        nn.Linear(16, 1),
    )


def heads():
    def look(x, ask, key, value, attend, head):
        y, _ = attend(ask(x[:, :1, 5:]), key(x[..., :4]), value(x[..., 4:5]))
        return head(y)[:, 0]

    return Through(
        look,
        nn.Linear(4, 16),
        nn.Linear(4, 16),
        nn.Linear(1, 16),
        nn.MultiheadAttention(16, 2, batch_first=True),
        nn.Linear(16, 1),
    )


def convolved(*between):
    return nn.Sequential(nn.Conv2d(1, 8, 3), *between, nn.Flatten(), nn.Linear(8, 1))


def filtered(pool):
    return nn.Sequential(nn.Conv1d(1, 16, 1), nn.ReLU(), pool, nn.Flatten(), nn.Linear(16, 1))


def normed(norm):
    return nn.Sequential(norm, nn.Flatten(), nn.Linear(8, 1))


def spread():
    return nn.ConvTranspose1d(1, 1, 4, stride=2, padding=1)


def raised():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv1d(1, 1, 7, padding=3))


TASKS = {
    "max pool": Task(images, lambda: convolved(nn.MaxPool2d(4)), rate=2e-2),
    "adaptive max pool": Task(images, lambda: convolved(nn.AdaptiveMaxPool2d(1)), rate=2e-2),
    "batch norm": Task(images, lambda: convolved(nn.BatchNorm2d(8), nn.MaxPool2d(4)), rate=2e-2, left=0.2),
    "group norm": Task(standing, lambda: normed(nn.GroupNorm(1, 1)), left=0.02),
    "instance norm": Task(standing, lambda: normed(nn.InstanceNorm1d(1)), left=0.02),
    "avg pool": Task(level, lambda: filtered(nn.AvgPool1d(12)), left=0.15),
    "adaptive avg pool": Task(level, lambda: filtered(nn.AdaptiveAvgPool1d(1)), left=0.15),
    "transposed convolution": Task(bumps, spread, rate=3e-2, left=0.02),
    "upsample": Task(bumps, raised, left=0.25),
    "bag": Task(words, lambda: nn.EmbeddingBag(12, 1), rate=5e-2),
    "bilinear": Task(products, lambda: Through(lambda x, form: form(x, x), nn.Bilinear(2, 2, 1)), rate=5e-2),
    "rnn": Task(echoes, lambda: recurrent(nn.RNN), steps=200, rate=3e-2, left=0.3),
    "gru": Task(echoes, lambda: recurrent(nn.GRU), steps=200, rate=3e-2, left=0.3),
    "lstm": Task(echoes, lambda: recurrent(nn.LSTM), steps=200, rate=3e-2, left=0.3),
    "attention": Task(look_up, heads, steps=200, left=0.05),
    "encoder": Task(look_up, lambda: encoder(False), steps=200, left=0.05),
    "encoder, norm first": Task(look_up, lambda: encoder(True), steps=200, left=0.05),
    "decoder": Task(look_up, decoder, steps=200, left=0.05),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_layer_learns_what_it_was_made_for_and_nothing_from_shuffled_labels(task):
    assert left_over(task) < task.left
    assert left_over_shuffled(task) > 0.9
