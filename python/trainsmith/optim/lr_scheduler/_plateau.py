"""Decay when a metric stops to improve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from trainsmith import _core
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim.lr_scheduler._per_group import per_group


@final
class ReduceLROnPlateau:
    """Multiplies the rate by a factor when a metric has not improved for more than `patience` steps.

    Improved: with "rel" below best (1 - threshold), with "abs" below best - threshold; for "max" above best
    (1 + threshold) or best + threshold. A metric that is NaN is no improvement.

    Args:
        optimizer: whose rates are set.
        mode: "min" or "max": which metrics are better.
        factor: in [0, 1).
        patience: steps without improvement that are borne, at least 0.
        threshold: least improvement that counts, at least 0.
        threshold_mode: "rel" or "abs".
        cooldown: steps after a decay in which nothing is counted, at least 0.
        min_lr: lowest rate, or one for each group.
        eps: least change of a rate that is made.

    Attributes:
        optimizer: whose rates are set.
        best: the best metric so far.
        num_bad_epochs: steps since that are counted.
        last_epoch: steps so far.

    Raises:
        ArgumentError: an argument outside its domain.

    Example:
        >>> from trainsmith import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
        >>> scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     scheduler.step(loss)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        op = "ReduceLROnPlateau"
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            rule = "mode to be 'min' or 'max', threshold_mode to be 'rel' or 'abs'"
            raise problem(ArgumentError, op, rule, f"{mode!r}, {threshold_mode!r}")
        if not 0 <= factor < 1:
            raise problem(ArgumentError, op, "factor in [0, 1)", repr(factor))
        if not (patience >= 0 and threshold >= 0 and cooldown >= 0):
            rule = "patience, threshold and cooldown of at least 0"
            raise problem(ArgumentError, op, rule, f"{patience}, {threshold}, {cooldown}")
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group(op, "min_lr", optimizer, min_lr)
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr: list[float] = [group["lr"] for group in optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """Gives the rate of each group after the last step."""
        return list(self._last_lr)

    def step(self, metrics: float | Tensor) -> None:
        """Takes a metric, and lowers the rates where it is time to.

        Inside a compiled function this happens at every call of it, with the number given while it was recorded.

        Args:
            metrics: the metric, a number or a tensor with one element.

        Raises:
            GraphError: a tensor inside a compiled function, which has no value there.
        """
        if not _core.recording():
            self._take(float(metrics))
            return
        if isinstance(metrics, Tensor):
            rule = "a number inside compiled functions; return the metric and step the scheduler outside"
            raise problem(GraphError, "ReduceLROnPlateau.step", rule, "a tensor, which has no value while recording")
        value = float(metrics)
        undo: list[tuple[dict[str, Any], list[float]]] = []

        def advance() -> None:
            undo[:] = [(self.state_dict(), [group["lr"] for group in self.optimizer.param_groups])]
            self._take(value)

        def rollback() -> None:
            state, rates = undo.pop()
            self.__dict__.update(state)
            self._write(rates)

        _core.record_event(advance, rollback)

    def _take(self, metric: float) -> None:
        self.last_epoch += 1
        if self._improved(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates: list[float] = [group["lr"] for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            lowered = [max(rate * self.factor, least) for rate, least in zip(rates, self.min_lrs)]
            rates = [low if rate - low > self.eps else rate for rate, low in zip(rates, lowered)]
            self._write(rates)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates

    def _improved(self, metric: float) -> bool:
        margin = self.threshold * (self.best if self.threshold_mode == "rel" else 1.0)
        if not math.isfinite(self.best):
            margin = 0.0
        return metric < self.best - margin if self.mode == "min" else metric > self.best + margin

    def _write(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates):
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Gives options and counters.

        Returns:
            Numbers, text and lists by attribute name, without the optimizer.
        """
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Puts options and counters back; the rates come back with the optimizer's state.

        Args:
            state_dict: what `state_dict` gave, of this or of torch's scheduler.

        Raises:
            ArgumentError: names that are missing or of another scheduler.
        """
        mine = self.state_dict()
        missing = sorted(set(mine) - set(state_dict))
        passed = ("verbose", "default_min_lr", "mode_worse", "base_lrs")
        unknown = sorted(name for name in set(state_dict) - set(mine) if name[0] != "_" and name not in passed)
        if missing or unknown:
            rule = f"the names {sorted(mine)}"
            got = f"missing {missing}, unknown {unknown}"
            raise problem(ArgumentError, "ReduceLROnPlateau.load_state_dict", rule, got)
        for name in mine:
            setattr(self, name, state_dict[name])
