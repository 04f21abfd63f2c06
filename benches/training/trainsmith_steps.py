"""The workloads' steps with trainsmith, captured or eager."""

import itertools
from collections.abc import Callable

from workloads import LEARNING_RATES, MOMENTUM, WEIGHT_DECAY, Array, Weights, Workload

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.nn import functional

VERSION = ts.__version__


def mlp(*sizes: int) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = ts.unstack(ts.permute_dims(qkv, (2, 0, 3, 1, 4)))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(ts.permute_dims(y, (0, 2, 1, 3)).reshape(batch, length, width))
        return x + self.narrow(functional.gelu(self.widen(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, tokens: ts.Tensor) -> ts.Tensor:
        x = self.tokens(tokens) + self.positions(ts.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class CNN(nn.Module):
    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.head = nn.Linear(second * 49, 10)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.head(x.reshape(x.shape[0], -1))


class LSTM(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        return self.head(self.recurrent(x)[0][:, -1])


MODELS: dict[str, Callable[..., nn.Module]] = {"mlp": mlp, "gpt": GPT, "cnn": CNN, "lstm": LSTM}


def set_threads(count: int) -> None:
    """Nothing to do: a worker's affinity says how many threads there are."""


def tensors(x: Array, y: Array, device: str = "cpu") -> tuple[ts.Tensor, ts.Tensor]:
    return ts.asarray(x, device=device), ts.asarray(y, device=device)


def make_step(workload: Workload, weights: Weights, x: ts.Tensor, y: ts.Tensor, mode: str) -> Callable[[], ts.Tensor]:
    model = MODELS[workload.family](*workload.sizes)
    model.load_state_dict({name: ts.asarray(weight) for name, weight in weights.items()})
    model.to(x.device)
    rate = LEARNING_RATES[workload.optimizer]
    if workload.optimizer == "adamw":
        optimizer = optim.AdamW(model.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    else:
        momentum = MOMENTUM if workload.optimizer == "momentum" else 0.0
        optimizer = optim.SGD(model.parameters(), lr=rate, momentum=momentum)

    def step(x: ts.Tensor, y: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        output = model(x)
        if workload.loss == "mse":
            loss = functional.mse_loss(output, y)
        else:
            loss = functional.cross_entropy(output.reshape(-1, output.shape[-1]), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    run = ts.compile(step) if mode == "captured" else step
    return lambda: run(x, y)
