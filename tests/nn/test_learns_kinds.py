"""Every kind of layer takes part in learning a function, and learns nothing from shuffled labels.

The tasks of `test_learns.py` ask for what attention, recurrence and pooling were made for; those here are small and
cover every class, in every number of dimensions.
"""

import numpy as np
import pytest
from tests.nn import test_learns
from tests.nn.learning import Task, Through, left_over, left_over_shuffled

import trainsmith as ts
from trainsmith import nn

KERNEL = np.array([0.5, -1.0, 0.8])


WIDTH = {1: 8, 2: 4, 3: 2}


def seen(d):
    """The shape of one sample with d axes."""
    return (1,) + (WIDTH[d],) * d


def products(rng, n):
    """A product of two numbers; no linear function comes near."""
    x = rng.normal(size=(n, 2))
    return x, x[:, :1] * x[:, 1:]


def peaks(d):
    """The largest element."""

    def data(rng, n):
        x = rng.normal(size=(n, *seen(d)))
        return x, x.reshape(n, -1).max(1, keepdims=True)

    return data


def levels(d):
    """The mean square."""

    def data(rng, n):
        x = rng.normal(size=(n, *seen(d))) * rng.uniform(0.5, 2, size=(n,) + (1,) * (d + 1))
        return x, (x**2).reshape(n, -1).mean(1, keepdims=True)

    return data


def standing(shape, shifted=True):
    """The first element, whatever the spread of all, and their level if shifted."""

    def data(rng, n):
        x = rng.normal(size=(n, 8)) * rng.uniform(0.2, 5, size=(n, 1))
        if shifted:
            x += rng.normal(size=(n, 1)) * 5
            y = (x[:, :1] - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
        else:
            y = x[:, :1] / np.sqrt((x**2).mean(1, keepdims=True))
        return x.reshape(n, *shape), y

    return data


def blown(d):
    """Each element becomes a block of 2^d."""
    block = np.random.default_rng(1).normal(size=(2,) * d)

    def data(rng, n):
        x = rng.normal(size=(n, *seen(d)))
        return x, np.stack([np.kron(one[0], block)[None] for one in x])

    return data


def doubled(rng, n):
    """Each pixel four times, times 3."""
    x = rng.normal(size=(n, 1, 3, 3))
    return x, 3 * np.kron(x, np.ones((2, 2)))


def blocks(rng, n):
    """A weighted sum of each block of four pixels."""
    x = rng.normal(size=(n, 1, 6, 6))
    parts = x.reshape(n, 1, 3, 2, 3, 2)
    return x, np.einsum("nchawb,ab->nchw", parts, [[1.0, -0.5], [0.25, 2.0]])


def filtered(d, **padding):
    """A filter over a padded signal; half of the outputs see the border."""

    def data(rng, n):
        x = rng.normal(size=(n, *seen(d)))
        y = np.pad(x, [(0, 0), (0, 0)] + [(1, 1)] * d, **padding)
        for axis in range(2, d + 2):
            y = np.lib.stride_tricks.sliding_window_view(y, 3, axis=axis) @ KERNEL
        return x, y

    return data


def earlier(rng, n):
    """The element three steps before the last."""
    x = rng.normal(size=(n, 6, 1))
    return x, x[:, -4]


def turned(measure):
    """How two vectors lie to each other once one was turned."""
    turn = np.random.default_rng(1).normal(size=(3, 3))

    def data(rng, n):
        x = rng.normal(size=(n, 6))
        return x, measure(x[:, :3] @ turn, x[:, 3:])[:, None]

    return data


def cosine(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def layer(name, d, *arguments, **options):
    return getattr(nn, f"{name}{d}d")(*arguments, **options)


def curved(activation, width=32, left=0.35):
    return Task(products, lambda: nn.Sequential(nn.Linear(2, 32), activation(), nn.Linear(width, 1)), 200, 4e-2, left)


def pooled(d, pool, data, left):
    def model():
        return nn.Sequential(layer("Conv", d, 1, 16, 1), nn.ReLU(), pool(), nn.Flatten(), nn.Linear(16, 1))

    return Task(data(d), model, 200, 3e-2, left)


def between(d, middle):
    def model():
        head = (layer("AdaptiveAvgPool", d, 1), nn.Flatten(), nn.Linear(16, 1))
        return nn.Sequential(layer("Conv", d, 1, 16, 1), nn.ReLU(), middle(), *head)

    return Task(levels(d), model, 200, 3e-2, 0.4)


def normed(shape, norm, **options):
    model = lambda: nn.Sequential(norm(), nn.Flatten(), nn.Linear(8, 1))  # noqa: E731
    return Task(standing(shape, **options), model, 200, 3e-2, 0.05)


def stepped(make):
    def walk(x, cell, head):
        state = None
        for t in range(6):
            state = cell(x[:, t], state)
        return head(state[0] if isinstance(state, tuple) else state)

    return Task(test_learns.echoes, lambda: Through(walk, make(1, 16), nn.Linear(16, 1)), 200, 3e-2, 0.3)


def measured(model, measure):
    def judge(x, turn, judge, head):
        return head(ts.expand_dims(judge(turn(x[:, :3]), x[:, 3:]), axis=1))

    parts = lambda: (nn.Linear(3, 3, bias=False), model(), nn.Linear(1, 1))  # noqa: E731
    return Task(turned(measure), lambda: Through(judge, *parts()), 300, 3e-2, 0.05)


def rotated():
    def look(x, ask, key, turn, head):
        q, k = turn(ask(x)), turn(key(x))
        return head(nn.functional.scaled_dot_product_attention(q, k, x)[:, -1])

    return Through(look, nn.Linear(1, 16), nn.Linear(1, 16), nn.RotaryEmbedding(16), nn.Linear(1, 1))


def counted():
    def look(x, places, ask, key, head):
        placed = places(ts.zeros((*x.shape[:2], 16)))
        return head(nn.functional.scaled_dot_product_attention(ask(placed), key(placed), x)[:, -1])

    parts = (nn.SinusoidalPositions(), nn.Linear(16, 16), nn.Linear(16, 16))
    return Through(look, *parts, nn.Linear(1, 1))


def whole():
    model = nn.Transformer(16, 2, 1, 1, 32, 0.0, batch_first=True)
    return Through(
        lambda x, into, ask, model, head: head(model(into(x[..., :5]), ask(x[:, :1, 5:])))[:, 0],
        nn.Linear(5, 16),
        nn.Linear(4, 16),
        model,
        nn.Linear(16, 1),
    )


PLAIN = (
    "CELU ELU GELU SELU SiLU Mish ReLU ReLU6 LeakyReLU PReLU RReLU Hardtanh Hardsigmoid Hardswish Sigmoid LogSigmoid"
)
PLAIN += " Softplus Softshrink Softsign Tanh Tanhshrink"
PADS = {"Reflection": {"mode": "reflect"}, "Replication": {"mode": "edge"}, "Circular": {"mode": "wrap"}, "Zero": {}}

TASKS = {name: curved(getattr(nn, name)) for name in PLAIN.split()}
TASKS |= {
    "Hardshrink": curved(lambda: nn.Hardshrink(1.0), left=0.5),
    "Threshold": curved(lambda: nn.Threshold(0.1, 0.0)),
    "GLU": curved(nn.GLU, width=16),
    "Softmax": curved(lambda: nn.Softmax(-1)),
    "Softmin": curved(lambda: nn.Softmin(-1)),
    "LogSoftmax": curved(lambda: Through(lambda x, log: ts.exp(log(x)), nn.LogSoftmax(-1))),
    "Softmax2d": between(2, nn.Softmax2d),
    "Identity": between(1, nn.Identity),
    "Dropout": between(1, lambda: nn.Dropout(0.02)),
    "AlphaDropout": between(1, lambda: nn.AlphaDropout(0.02)),
    "FeatureAlphaDropout": between(1, lambda: nn.FeatureAlphaDropout(0.02)),
    "LayerNorm": normed((1, 8), lambda: nn.LayerNorm(8)),
    "GroupNorm": normed((1, 8), lambda: nn.GroupNorm(1, 1)),
    "RMSNorm": normed((8,), lambda: nn.RMSNorm(8), shifted=False),
    "Unflatten": normed((8,), lambda: nn.Sequential(nn.Unflatten(1, (1, 8)), nn.InstanceNorm1d(1))),
    "PixelShuffle": Task(blown(2), lambda: nn.Sequential(nn.Conv2d(1, 4, 1), nn.PixelShuffle(2)), 150, 3e-2, 0.02),
    "PixelUnshuffle": Task(blocks, lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 1, 1)), 150, 3e-2, 0.02),
    "Upsample": Task(doubled, lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 1)), 150, 3e-2, 0.02),
    "UpsamplingNearest2d": Task(
        doubled, lambda: nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), nn.Conv2d(1, 1, 1)), 150, 3e-2, 0.02
    ),
    "UpsamplingBilinear2d": Task(
        doubled,
        lambda: nn.Sequential(nn.UpsamplingBilinear2d(scale_factor=2), nn.Conv2d(1, 1, 3, padding=1)),
        150,
        3e-2,
        0.5,
    ),
    "Embedding": Task(
        test_learns.words, lambda: Through(lambda x, table: ts.mean(table(x), axis=1), nn.Embedding(12, 1)), 200, 5e-2
    ),
    "RNNCell": stepped(nn.RNNCell),
    "GRUCell": stepped(nn.GRUCell),
    "LSTMCell": stepped(nn.LSTMCell),
    "CosineSimilarity": measured(nn.CosineSimilarity, cosine),
    "PairwiseDistance": measured(nn.PairwiseDistance, lambda a, b: np.linalg.norm(a - b, axis=1)),
    "RotaryEmbedding": Task(earlier, rotated, 300, 3e-2, 0.1),
    "SinusoidalPositions": Task(earlier, counted, 300, 3e-2, 0.1),
    "Transformer": Task(test_learns.look_up, whole, 200, 1e-2, 0.05),
}
for d in (1, 2, 3):
    TASKS |= {
        f"MaxPool{d}d": pooled(d, lambda d=d: layer("MaxPool", d, WIDTH[d]), peaks, 0.05),
        f"AdaptiveMaxPool{d}d": pooled(d, lambda d=d: layer("AdaptiveMaxPool", d, 1), peaks, 0.05),
        f"AvgPool{d}d": pooled(d, lambda d=d: layer("AvgPool", d, WIDTH[d]), levels, 0.2),
        f"Dropout{d}d": between(d, lambda d=d: layer("Dropout", d, 0.02)),
        f"BatchNorm{d}d": between(d, lambda d=d: layer("BatchNorm", d, 16)),
        f"InstanceNorm{d}d": normed(
            (1, *{1: (8,), 2: (2, 4), 3: (2, 2, 2)}[d]), lambda d=d: layer("InstanceNorm", d, 1)
        ),
        f"ConvTranspose{d}d": Task(blown(d), lambda d=d: layer("ConvTranspose", d, 1, 1, 2, 2), 150, 3e-2, 0.02),
        f"ConstantPad{d}d": Task(
            filtered(d, constant_values=1.5),
            lambda d=d: nn.Sequential(layer("ConstantPad", d, 1, 1.5), layer("Conv", d, 1, 1, 3)),
            200,
            3e-2,
            0.02,
        ),
    }
    TASKS |= {
        f"{kind}Pad{d}d": Task(
            filtered(d, **options),
            lambda d=d, kind=kind: nn.Sequential(layer(f"{kind}Pad", d, 1), layer("Conv", d, 1, 1, 3)),
            200,
            3e-2,
            0.02,
        )
        for kind, options in PADS.items()
    }

CONTAINERS = {"Module", "ModuleDict", "ParameterDict", "ParameterList"}


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_a_layer_takes_part_in_learning_and_not_from_shuffled_labels(task):
    assert left_over(task) < task.left
    assert left_over_shuffled(task) > 0.9


def test_every_layer_takes_part():
    models = [task.model() for task in (*TASKS.values(), *test_learns.TASKS.values())]
    taught = {type(module).__name__ for model in models for module in model.modules()}
    classes = {
        name for name in nn.__all__ if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }
    assert sorted(name for name in classes - CONTAINERS - taught if not name.endswith("Loss")) == []
