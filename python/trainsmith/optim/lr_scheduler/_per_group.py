"""Arguments of schedulers that are one number, or one for each group."""

from collections.abc import Sequence

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._optimizer import Optimizer


def per_group(op: str, name: str, optimizer: Optimizer, given: float | Sequence[float]) -> list[float]:
    """Gives one number per group.

    Raises:
        ArgumentError: another number of numbers than groups.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(given, Sequence):
        return [float(given)] * groups
    if len(given) != groups:
        raise problem(ArgumentError, op, f"{name}: one number, or one for each of {groups} groups", str(len(given)))
    return [float(one) for one in given]


def require_momentum(op: str, optimizer: Optimizer) -> None:
    """Refuses an optimizer whose groups have neither momentum nor betas.

    Raises:
        ArgumentError: such an optimizer.
    """
    if any("momentum" not in group and "betas" not in group for group in optimizer.param_groups):
        rule = "an optimizer with momentum or betas; otherwise pass cycle_momentum=False"
        raise problem(ArgumentError, op, rule, type(optimizer).__name__)


def set_momenta(optimizer: Optimizer, momenta: Sequence[float]) -> None:
    """Sets the momentum of the groups, or their first beta."""
    for group, momentum in zip(optimizer.param_groups, momenta):
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum
