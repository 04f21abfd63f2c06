"""Stops a run by any metric."""

from collections.abc import Mapping
from math import nan
from typing import Any

from trainsmith.data._nearest import nearest
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError
from trainsmith.training import EarlyStopConfig, EarlyStopping, ValidationResult
from trainsmith.training.loop import Callback, TrainingLoop


class EarlyStop(Callback):
    """Stops a run when a metric of the validation no longer improves.

    Workflows stop by the validation loss already; this is for another metric. `EarlyStopping` has the rule.

    Args:
        config: patience, smoothing, smallest improvement, direction, baseline, and what NaN does.
        monitor: `loss`, or the name of a metric.

    Raises:
        ConfigError: in a run, a metric that the validation does not give.

    Example:
        >>> from trainsmith.training import EarlyStopConfig
        >>> EarlyStop(EarlyStopConfig(patience=5, mode="max", alpha=1.0), monitor="r2").rule.counter
        0
    """

    def __init__(self, config: EarlyStopConfig, *, monitor: str = "loss") -> None:
        self.monitor = monitor
        self.rule = EarlyStopping(config)

    def on_validation_end(self, loop: TrainingLoop, result: ValidationResult) -> None:
        """Takes the metric."""
        values = {"loss": result.loss, **result.metrics}
        if self.monitor not in values:
            raise worded(
                ConfigError,
                "early_stop",
                f"the validation must give {shown(self.monitor)}",
                expected="one of " + ", ".join(map(shown, values)),
                got=shown(self.monitor),
                step=nearest(self.monitor, values),
            )
        value = values[self.monitor]
        if self.rule.step(nan if value is None else value):
            loop.stop(f"{self.monitor} no longer improves")

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of the rule."""
        return self.rule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        self.rule.load_state_dict(state)
