"""Stops training when a smoothed metric no longer improves."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from trainsmith.data._options import check, option, required
from trainsmith.data._wording import worded
from trainsmith.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopConfig:
    """When `EarlyStopping` stops.

    Args:
        patience: calls without an improvement after which to stop, at least 1.
        alpha: weight of the newest value in the average, in (0, 1]; 1 does not smooth.
        min_delta: an improvement must be larger than this, at least 0, in the metric's unit.
        mode: `min` where smaller is better, `max` where larger is.
        on_nan: what a value that is NaN or infinite does: `skip` counts it as no improvement, `stop` stops, `error`
            raises. None of them changes the average.
        baseline: an average that is not better than this is no improvement, not even the first; None for no baseline.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> EarlyStopConfig(patience=5).alpha
        0.1
    """

    patience: int = required("calls without an improvement", "int", low=1)
    alpha: float = option(0.1, "weight of the newest value", "float", above=0, high=1)
    min_delta: float = option(0.0, "smallest improvement", "float", low=0)
    mode: Literal["min", "max"] = option("min", "the better direction", "str", choices=("min", "max"))
    on_nan: Literal["skip", "stop", "error"] = option(
        "skip", "what a value that is not finite does", "str", choices=("skip", "stop", "error")
    )
    baseline: float | None = option(None, "what the average must be better than", "number")

    def __post_init__(self) -> None:
        check(self)


class EarlyStopping:
    """Watches one metric: `s = alpha x + (1 - alpha) s`, and stops after `patience` calls without an improvement of s.

    The first finite value starts the average and, without a baseline, is the best. Later an improvement is
    `best - s > min_delta` (`min`) or `s - best > min_delta` (`max`); it becomes the best and resets the counter. After
    a stop it keeps working.

    Args:
        config: when to stop.

    Example:
        >>> stopping = EarlyStopping(EarlyStopConfig(patience=2, alpha=1.0))
        >>> [stopping.step(loss) for loss in (1.0, 0.5, 0.6, 0.7)]
        [False, False, False, True]
        >>> stopping.best_metric(), stopping.best_epoch
        (0.5, 1)
    """

    def __init__(self, config: EarlyStopConfig) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forgets every value; the configuration stays."""
        self._steps = 0
        self._counter = 0
        self._smoothed: float | None = None
        self._best: float | None = None
        self._best_epoch: int | None = None

    @property
    def counter(self) -> int:
        """The calls since the last improvement."""
        return self._counter

    @property
    def smoothed(self) -> float | None:
        """The average; None before the first finite value."""
        return self._smoothed

    @property
    def best_epoch(self) -> int | None:
        """The call that gave the best average, counted from 0; None before the first finite value."""
        return self._best_epoch

    def best_metric(self) -> float:
        """Returns the best average; 0 before the first finite value."""
        return 0.0 if self._best is None else self._best

    def step(self, value: float) -> bool:
        """Takes the next value.

        Args:
            value: the metric after an epoch.

        Returns:
            Whether to stop.

        Raises:
            DataError: a value that is not finite, with `on_nan="error"`.
        """
        epoch, self._steps = self._steps, self._steps + 1
        if not isfinite(value):
            if self.config.on_nan == "error":
                raise worded(
                    DataError,
                    "early_stopping",
                    "the metric must be finite",
                    expected="a finite number",
                    got=repr(value),
                    step="lower the learning rate, or check the data",
                )
            self._counter += 1
            return self.config.on_nan == "stop" or self._counter >= self.config.patience
        if self._smoothed is None:
            self._smoothed = value
        else:
            self._smoothed = self.config.alpha * value + (1 - self.config.alpha) * self._smoothed
        improved = self._improves(self._smoothed)
        if improved:
            self._best, self._best_epoch, self._counter = self._smoothed, epoch, 0
        else:
            self._counter += 1
        return self._counter >= self.config.patience

    def _improves(self, smoothed: float) -> bool:
        best = self.config.baseline if self._best is None else self._best
        if best is None:
            return True
        gain = best - smoothed if self.config.mode == "min" else smoothed - best
        return gain > self.config.min_delta

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the configuration as plain values."""
        return {
            "steps": self._steps,
            "counter": self._counter,
            "smoothed": self._smoothed,
            "best": self._best,
            "best_epoch": self._best_epoch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the plain values.

        Raises:
            KeyError: an entry is missing; nothing has changed then.
        """
        values = [state[name] for name in ("steps", "counter", "smoothed", "best", "best_epoch")]
        self._steps, self._counter, self._smoothed, self._best, self._best_epoch = values
