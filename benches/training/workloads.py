"""What is timed: small and medium models with their start weights and one batch of data, the same for every library."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Array = np.ndarray
Weights = dict[str, Array]

LEARNING_RATES = {"sgd": 1e-2, "momentum": 1e-2, "adamw": 1e-3}
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-2


@dataclass(frozen=True)
class Workload:
    """One training step: forward, loss, backward, optimizer.

    Args:
        name: as in the tables.
        family: which model of a library's `MODELS` it is.
        sizes: what that model takes.
        loss: mean over all elements, or over the rows of class scores.
        optimizer: SGD, SGD with momentum, or AdamW.
        weights: start weights by state-dict name, linear ones (out, in).
        data: inputs and targets of the batch.
    """

    name: str
    family: str
    sizes: tuple[int, ...]
    loss: Literal["cross_entropy", "mse"]
    optimizer: Literal["sgd", "momentum", "adamw"]
    weights: Callable[[np.random.Generator], Weights]
    data: Callable[[np.random.Generator], tuple[Array, Array]]

    def arrays(self) -> tuple[Weights, Array, Array]:
        """Gives start weights, inputs and targets, the same at every call."""
        rng = np.random.default_rng(0)
        weights = self.weights(rng)
        return weights, *self.data(rng)


def uniform(rng: np.random.Generator, fan_in: int, *shape: int) -> Array:
    bound = fan_in**-0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape, dtype=np.float32)


def classes(rng: np.random.Generator, count: int, *shape: int) -> Array:
    return rng.integers(0, count, shape)


def linear(rng: np.random.Generator, name: str, inputs: int, outputs: int) -> Weights:
    return {f"{name}.weight": uniform(rng, inputs, outputs, inputs), f"{name}.bias": uniform(rng, inputs, outputs)}


def mlp_weights(rng: np.random.Generator, sizes: tuple[int, ...]) -> Weights:
    weights: Weights = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        weights |= linear(rng, str(2 * layer), inputs, outputs)
    return weights


def gpt_weights(rng: np.random.Generator, vocabulary: int, width: int, layers: int, length: int) -> Weights:
    weights = {"tokens.weight": 0.02 * normal(rng, vocabulary, width)}
    weights["positions.weight"] = 0.02 * normal(rng, length, width)
    norms = ["norm"]
    for block in (f"blocks.{i}" for i in range(layers)):
        norms += [f"{block}.norm1", f"{block}.norm2"]
        weights |= linear(rng, f"{block}.qkv", width, 3 * width)
        weights |= linear(rng, f"{block}.project", width, width)
        weights |= linear(rng, f"{block}.widen", width, 4 * width)
        weights |= linear(rng, f"{block}.narrow", 4 * width, width)
    for norm in norms:
        weights[f"{norm}.weight"] = np.ones(width, np.float32)
        weights[f"{norm}.bias"] = np.zeros(width, np.float32)
    return weights | linear(rng, "head", width, vocabulary)


def cnn_weights(rng: np.random.Generator, first: int, second: int) -> Weights:
    return {
        "conv1.weight": uniform(rng, 9, first, 1, 3, 3),
        "conv1.bias": uniform(rng, 9, first),
        "conv2.weight": uniform(rng, 9 * first, second, first, 3, 3),
        "conv2.bias": uniform(rng, 9 * first, second),
        **linear(rng, "head", second * 49, 10),
    }


def lstm_weights(rng: np.random.Generator, features: int, hidden: int) -> Weights:
    return {
        "recurrent.weight_ih_l0": uniform(rng, hidden, 4 * hidden, features),
        "recurrent.weight_hh_l0": uniform(rng, hidden, 4 * hidden, hidden),
        "recurrent.bias_ih_l0": uniform(rng, hidden, 4 * hidden),
        "recurrent.bias_hh_l0": uniform(rng, hidden, 4 * hidden),
        **linear(rng, "head", hidden, 1),
    }


def mlp(
    name: str,
    sizes: tuple[int, ...],
    batch: int,
    loss: Literal["cross_entropy", "mse"],
    optimizer: Literal["sgd", "momentum", "adamw"],
) -> Workload:
    def data(rng: np.random.Generator) -> tuple[Array, Array]:
        x = normal(rng, batch, sizes[0])
        return x, normal(rng, batch, sizes[-1]) if loss == "mse" else classes(rng, sizes[-1], batch)

    return Workload(name, "mlp", sizes, loss, optimizer, lambda rng: mlp_weights(rng, sizes), data)


def gpt(name: str, batch: int, vocabulary: int, width: int, layers: int, heads: int, length: int) -> Workload:
    return Workload(
        name,
        "gpt",
        (vocabulary, width, layers, heads, length),
        "cross_entropy",
        "adamw",
        lambda rng: gpt_weights(rng, vocabulary, width, layers, length),
        lambda rng: (classes(rng, vocabulary, batch, length), classes(rng, vocabulary, batch, length)),
    )


def cnn(name: str, batch: int, first: int, second: int) -> Workload:
    return Workload(
        name,
        "cnn",
        (first, second),
        "cross_entropy",
        "adamw",
        lambda rng: cnn_weights(rng, first, second),
        lambda rng: (normal(rng, batch, 1, 28, 28), classes(rng, 10, batch)),
    )


def lstm(name: str, batch: int, length: int, features: int, hidden: int) -> Workload:
    return Workload(
        name,
        "lstm",
        (features, hidden),
        "mse",
        "adamw",
        lambda rng: lstm_weights(rng, features, hidden),
        lambda rng: (normal(rng, batch, length, features), normal(rng, batch, 1)),
    )


WORKLOADS = {
    workload.name: workload
    for workload in (
        mlp("tiny_mlp", (128, 64, 10), 16, "cross_entropy", "sgd"),
        mlp("tabular_mlp", (32, 128, 128, 1), 256, "mse", "adamw"),
        mlp("mnist_mlp", (784, 512, 256, 10), 128, "cross_entropy", "momentum"),
        mlp("wide_mlp", (1024, 1024, 1024, 1024, 1024), 512, "mse", "adamw"),
        gpt("gpt", batch=16, vocabulary=65, width=128, layers=4, heads=4, length=64),
        cnn("cnn", batch=64, first=32, second=64),
        lstm("lstm", batch=64, length=60, features=16, hidden=64),
    )
}
