"""Finds a learning rate by raising it until the loss grows."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, DataError, NonFiniteError
from trainsmith.training._protocols_data import DataIterator
from trainsmith.training.loop import Learner

_OP = "find_learning_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCurve:
    """What `find_learning_rate` saw.

    Args:
        rates: the rates that were tried, rising.
        losses: smoothed training loss after each.
        suggestion: the rate at which the loss fell fastest.

    Example:
        `find_learning_rate` shows one.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def find_learning_rate(
    learner: Learner,
    data: DataIterator[Any],
    *,
    lowest: float = 1e-7,
    highest: float = 1.0,
    steps: int = 100,
    smoothing: float = 0.9,
    stop_factor: float = 4.0,
) -> RateCurve:
    """Trains with a rate that grows from step to step, and gives weights and optimizer back as they were.

    The rate of step i is lowest (highest / lowest)^(i / (steps - 1)). The loss is averaged with a correction for its
    start; the search ends where it exceeds `stop_factor` times the least so far, or is not finite.

    Args:
        learner: what to train.
        data: the training batches; gone through again where they are fewer than the steps.
        lowest: the first rate, above 0.
        highest: the last rate, above the first.
        steps: at least 3.
        smoothing: share of the average that a step keeps, in [0, 1).
        stop_factor: above 1.

    Returns:
        Rates, losses and the suggestion.

    Raises:
        ConfigError: an argument outside its domain.
        DataError: no batch, or fewer than three finite losses.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn, optim
        >>> from trainsmith.callbacks import find_learning_rate
        >>> from trainsmith.training import ArrayDataProvider, BatchConfig, DefaultTrainer, Graph
        >>> from trainsmith.training.loop import TrainerLearner
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> graph = Graph(nn.Linear(1, 1))
        >>> optimizer = optim.SGD(graph.parameters(), lr=0.1)
        >>> learner = TrainerLearner(DefaultTrainer(graph, nn.MSELoss(), optimizer), graph, optimizer)
        >>> data = ArrayDataProvider(x, 3 * x).get_training_data(BatchConfig(batch_size=16))
        >>> curve = find_learning_rate(learner, data, lowest=1e-4, highest=10.0)
        >>> 1e-3 < curve.suggestion < 10, optimizer.param_groups[0]["lr"]
        (True, 0.1)

    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3.
    """
    if not (0 < lowest < highest and steps >= 3 and 0 <= smoothing < 1 and stop_factor > 1):
        raise worded(
            ConfigError,
            _OP,
            "the search needs a range and some steps",
            expected="0 < lowest < highest, steps >= 3, smoothing in [0, 1), stop_factor > 1",
            got=f"{lowest}, {highest}, {steps}, {smoothing}, {stop_factor}",
            step="change them",
        )
    weights, state = learner.weights(), learner.state_dict()
    try:
        rates, losses = _climb(learner, data, lowest, highest, steps, smoothing, stop_factor)
    finally:
        learner.load_weights(weights)
        learner.load_state_dict(state)
        data.reset()
    if len(losses) < 3:
        raise worded(
            DataError,
            _OP,
            "some losses must be finite",
            expected="at least 3 steps",
            got=f"{len(losses)}",
            step="start with a lower rate, and check the data",
        )
    # Slopes over a tenth of the curve to either side, as neighbouring batches differ by chance.
    span = max(1, len(losses) // 10)
    slopes = np.array(losses[2 * span :]) - np.array(losses[: -2 * span])
    return RateCurve(rates=tuple(rates), losses=tuple(losses), suggestion=rates[span + int(np.argmin(slopes))])


def _climb(
    learner: Learner,
    data: DataIterator[Any],
    lowest: float,
    highest: float,
    steps: int,
    smoothing: float,
    stop_factor: float,
) -> tuple[list[float], list[float]]:
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    data.reset()
    for place in range(steps):
        if not data.next():
            data.reset()
            if not data.next():
                break
        batch = data.batch()
        assert batch is not None, "next() was True"
        rate = lowest * (highest / lowest) ** (place / (steps - 1))
        for group in learner.optimizer.param_groups:
            group["lr"] = rate
        try:
            loss = float(learner.train_step(batch))
        except NonFiniteError:
            break
        if not math.isfinite(loss):
            break
        average = smoothing * average + (1 - smoothing) * loss
        corrected = average / (1 - smoothing ** (place + 1))
        if losses and corrected > stop_factor * min(losses):
            break
        rates.append(rate)
        losses.append(corrected)
    return rates, losses
