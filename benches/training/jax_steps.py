"""The workloads' steps with JAX (jit, donated buffers) and Optax."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from workloads import LEARNING_RATES, MOMENTUM, WEIGHT_DECAY, Weights, Workload
from workloads import Array as HostArray

VERSION = jax.__version__
Params = dict[str, Array]
Model = Callable[[Params, Array], Array]


def linear(params: Params, name: str, x: Array) -> Array:
    return x @ params[f"{name}.weight"] + params[f"{name}.bias"]


def norm(params: Params, name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
    return scaled * params[f"{name}.weight"] + params[f"{name}.bias"]


def mlp(*sizes: int) -> Model:
    layers = len(sizes) - 1

    def forward(params: Params, x: Array) -> Array:
        for layer in range(layers - 1):
            x = jax.nn.relu(linear(params, str(2 * layer), x))
        return linear(params, str(2 * layers - 2), x)

    return forward


def gpt(vocabulary: int, width: int, layers: int, heads: int, length: int) -> Model:
    mask = jnp.tril(jnp.ones((length, length), bool))
    depth = width // heads

    def forward(params: Params, tokens: Array) -> Array:
        x = params["tokens.weight"][tokens] + params["positions.weight"]
        batch = x.shape[0]
        for block in (f"blocks.{i}" for i in range(layers)):
            qkv = linear(params, f"{block}.qkv", norm(params, f"{block}.norm1", x))
            q, k, v = qkv.reshape(batch, length, 3, heads, depth).transpose(2, 0, 3, 1, 4)
            scores = jnp.where(mask, q @ k.swapaxes(-1, -2) * depth**-0.5, -1e30)
            y = (jax.nn.softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)
            x = x + linear(params, f"{block}.project", y)
            wide = linear(params, f"{block}.widen", norm(params, f"{block}.norm2", x))
            x = x + linear(params, f"{block}.narrow", jax.nn.gelu(wide, approximate=False))
        return linear(params, "head", norm(params, "norm", x))

    return forward


def cnn(first: int, second: int) -> Model:
    def pooled(params: Params, name: str, x: Array) -> Array:
        bias = params[f"{name}.bias"][None, :, None, None]
        x = jax.nn.relu(lax.conv(x, params[f"{name}.weight"], (1, 1), "SAME") + bias)
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def forward(params: Params, x: Array) -> Array:
        x = pooled(params, "conv2", pooled(params, "conv1", x))
        return linear(params, "head", x.reshape(x.shape[0], -1))

    return forward


def lstm(features: int, hidden: int) -> Model:
    def forward(params: Params, x: Array) -> Array:
        projected = x @ params["recurrent.weight_ih_l0"] + params["recurrent.bias_ih_l0"]

        def cell(carry: tuple[Array, Array], xt: Array) -> tuple[tuple[Array, Array], None]:
            h, c = carry
            z = xt + h @ params["recurrent.weight_hh_l0"] + params["recurrent.bias_hh_l0"]
            i, f, g, o = jnp.split(z, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        start = jnp.zeros((x.shape[0], hidden))
        (h, _), _ = lax.scan(cell, (start, start), projected.swapaxes(0, 1))
        return linear(params, "head", h)

    return forward


MODELS: dict[str, Callable[..., Model]] = {"mlp": mlp, "gpt": gpt, "cnn": cnn, "lstm": lstm}
EMBEDDINGS = {"tokens.weight", "positions.weight"}


def set_threads(count: int) -> None:
    """Nothing to do: a worker's affinity says how many threads there are."""


def tensors(x: HostArray, y: HostArray) -> tuple[Array, Array]:
    return jnp.asarray(x), jnp.asarray(y)


def parameters(weights: Weights) -> Params:
    """Linear weights turned to (in, out), as a JAX user keeps them."""
    turned = {name for name, weight in weights.items() if weight.ndim == 2 and name not in EMBEDDINGS}
    return {name: jnp.array(weight.T if name in turned else weight) for name, weight in weights.items()}


def make_step(workload: Workload, weights: Weights, x: Array, y: Array, mode: str) -> Callable[[], Array]:
    model = MODELS[workload.family](*workload.sizes)
    rate = LEARNING_RATES[workload.optimizer]
    if workload.optimizer == "adamw":
        optimizer = optax.adamw(rate, weight_decay=WEIGHT_DECAY)
    else:
        optimizer = optax.sgd(rate, momentum=MOMENTUM if workload.optimizer == "momentum" else None)

    def loss_of(params: Params, x: Array, y: Array) -> Array:
        output = model(params, x)
        if workload.loss == "mse":
            return jnp.mean((output - y) ** 2)
        return optax.softmax_cross_entropy_with_integer_labels(output, y).mean()

    def update(params: Params, state: optax.OptState, x: Array, y: Array) -> tuple[Params, optax.OptState, Array]:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    run = jax.jit(update, donate_argnums=(0, 1))
    params = parameters(weights)
    state = optimizer.init(params)

    def step() -> Array:
        nonlocal params, state
        params, state, loss = run(params, state, x, y)
        return loss.block_until_ready()

    return step
