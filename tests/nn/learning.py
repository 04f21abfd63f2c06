"""Small learning tasks: data, a model, and how much of the truth it misses after training."""

from dataclasses import dataclass

import numpy as np

import trainsmith as ts
from trainsmith import nn, optim

SEED = 7
ROWS = 2048
SHUFFLES = 4


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


def left_over_shuffled(task):
    """What a model misses that learns from labels without their inputs: the mean of some tries, each has its luck."""
    return float(np.mean([left_over(task, shuffled=True, seed=SEED + number) for number in range(SHUFFLES)]))


def left_over(task, shuffled=False, seed=SEED):
    """Trains, and gives the share of the variance of fresh targets that the model does not explain."""
    rng = np.random.default_rng(seed)
    ts.manual_seed(seed)
    x, y = task.data(rng, ROWS)
    fresh, truth = task.data(rng, 512)
    if shuffled:
        # Without its mean: a model that reaches it through its features would follow the truth as far as these do.
        y, truth = y[rng.permutation(len(y))] - y.mean(0), truth - y.mean(0)
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
