"""What strategies around other strategies share."""

from collections.abc import Mapping
from typing import Any

from trainsmith.training.strategies._abstract import AbstractStrategy
from trainsmith.training.strategies._backprop import DefaultBackpropStrategy


def take_step(strategy: Any, optimizer: Any) -> None:
    """Takes the optimizer's step, the strategy's own way where it has one.

    Args:
        strategy: any `GradientStrategy`.
        optimizer: of the graph's parameters.
    """
    own = getattr(strategy, "step", None)
    if own is None:
        optimizer.step()
    else:
        own(optimizer)


def state_of(strategy: Any) -> dict[str, Any]:
    """Takes a snapshot of a strategy's state; empty where it keeps none."""
    own = getattr(strategy, "state_dict", None)
    return {} if own is None else dict(own())


def load_state(strategy: Any, state: Mapping[str, Any]) -> None:
    """Puts back what `state_of` gave."""
    own = getattr(strategy, "load_state_dict", None)
    if own is not None:
        own(state)


class AbstractWrapper(AbstractStrategy):
    """A strategy around another, whose step and state it keeps.

    Args:
        inner: the strategy inside; plain back-propagation by default.
    """

    def __init__(self, inner: Any = None) -> None:
        self._inner = DefaultBackpropStrategy() if inner is None else inner

    @property
    def inner(self) -> Any:
        """The strategy inside."""
        return self._inner

    def step(self, optimizer: Any) -> None:
        """Takes the step of the strategy inside."""
        take_step(self._inner, optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot of the strategy inside."""
        return state_of(self._inner)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back the strategy inside."""
        load_state(self._inner, state)
