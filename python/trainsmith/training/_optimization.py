"""Makes the optimizer and the learning-rate schedule that a configuration names."""

from collections.abc import Iterable
from typing import Any

from trainsmith import nn, optim
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig


def make_optimizer(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter], learning_rate: float
) -> optim.Optimizer:
    """Makes an optimizer.

    Args:
        config: which one.
        parameters: what it changes.
        learning_rate: its rate before any schedule, above 0.

    Returns:
        The optimizer.

    Example:
        >>> from trainsmith import nn
        >>> optimizer = make_optimizer(OptimizerConfig(), nn.Linear(2, 1).parameters(), 0.1)
        >>> optimizer.param_groups[0]["lr"]
        0.1
    """
    if config.name == "sgd":
        return optim.SGD(parameters, lr=learning_rate, momentum=config.momentum, weight_decay=config.weight_decay)
    return optim.AdamW(parameters, lr=learning_rate, weight_decay=config.weight_decay)


def make_scheduler(config: ScheduleConfig, optimizer: optim.Optimizer, num_epochs: int) -> Any | None:
    """Makes the schedule of a run: an optional linear warm-up, then the named one.

    Args:
        config: which one.
        optimizer: whose rate it sets.
        num_epochs: length of the run in epochs, at least 1.

    Returns:
        A scheduler whose `step()` is called after each epoch; None where the rate is constant throughout.

    Example:
        >>> from trainsmith import nn
        >>> optimizer = make_optimizer(OptimizerConfig(), nn.Linear(2, 1).parameters(), 0.1)
        >>> scheduler = make_scheduler(ScheduleConfig(name="constant", warmup_epochs=1), optimizer, 3)
        >>> optimizer.param_groups[0]["lr"]
        0.05
    """
    schedulers = optim.lr_scheduler
    warmup = min(config.warmup_epochs, num_epochs)
    rest = num_epochs - warmup
    first = schedulers.LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup) if warmup else None
    if rest == 0 or config.name == "constant":
        return first
    if config.name == "cosine":
        then: Any = schedulers.CosineAnnealingLR(optimizer, T_max=rest)
    elif config.name == "linear":
        then = schedulers.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=rest)
    else:
        then = schedulers.StepLR(optimizer, step_size=config.step_size, gamma=config.gamma)
    return then if first is None else schedulers.SequentialLR(optimizer, [first, then], milestones=[warmup])
