"""The workloads' steps with PyTorch, eager or compiled."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from workloads import LEARNING_RATES, MOMENTUM, WEIGHT_DECAY, Array, Weights, Workload

VERSION = torch.__version__


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

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(functional.gelu(self.widen(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class CNN(nn.Module):
    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.head = nn.Linear(second * 49, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.head(x.flatten(1))


class LSTM(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.recurrent(x)[0][:, -1])


MODELS: dict[str, Callable[..., nn.Module]] = {"mlp": mlp, "gpt": GPT, "cnn": CNN, "lstm": LSTM}


def set_threads(count: int) -> None:
    torch.set_num_threads(count)


def tensors(x: Array, y: Array) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(x), torch.from_numpy(y)


def make_step(workload: Workload, weights: Weights, x: Tensor, y: Tensor, mode: str) -> Callable[[], Tensor]:
    model = MODELS[workload.family](*workload.sizes)
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    rate = LEARNING_RATES[workload.optimizer]
    if workload.optimizer == "adamw":
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    else:
        momentum = MOMENTUM if workload.optimizer == "momentum" else 0.0
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)

    def forward(x: Tensor, y: Tensor) -> Tensor:
        output = model(x)
        if workload.loss == "mse":
            return functional.mse_loss(output, y)
        return functional.cross_entropy(output.view(-1, output.shape[-1]), y.view(-1))

    run = torch.compile(forward) if mode == "compile" else forward

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = run(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
