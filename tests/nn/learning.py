"""Small learning tasks: data, a model, and how much of the truth it misses after training."""

from dataclasses import dataclass

import numpy as np

import trainsmith as ts
from trainsmith import nn, optim

SEED = 7


@dataclass(frozen=True)
class Task:
    """What is learnt: inputs and targets from a generator, the model, the steps, the share of variance left over."""

    data: object
    model: object
    steps: int = 150
    rate: float = 1e-2
    left: float = 0.1


class Through(nn.Module):
    """Applies functions of modules in its list."""

    def __init__(self, f, *modules):
        super().__init__()
        self.parts = nn.ModuleList(modules)
        self.f = f

    def forward(self, x):
        return self.f(x, *self.parts)


def left_over(task, shuffled):
    """Trains, and gives the share of the variance of fresh targets that the model does not explain."""
    rng = np.random.default_rng(SEED)
    ts.manual_seed(SEED)
    x, y = task.data(rng, 2048)
    fresh, truth = task.data(rng, 512)
    if shuffled:
        y = y[rng.permutation(len(y))]
    model = task.model()
    optimizer = optim.AdamW(model.parameters(), lr=task.rate, weight_decay=0.0)
    single = lambda a: ts.asarray(a if a.dtype.kind == "i" else a.astype("f4"))  # noqa: E731

    @ts.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for number in range(task.steps):
        rows = np.arange(number * 64, number * 64 + 64) % len(x)
        step(single(x[rows]), single(y[rows]))
    guess = np.asarray(model.eval()(single(fresh)).detach())
    return float(np.mean((guess - truth) ** 2) / np.mean(np.var(truth, axis=0)))
