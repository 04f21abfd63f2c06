"""When checkpoints are written and which are kept."""

from dataclasses import dataclass
from typing import Literal

from trainsmith.data._options import option, required
from trainsmith.training._plain import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConfig(Plain):
    """When checkpoints are written and which are kept.

    Args:
        folder: where they go, one folder each; it is made where it does not exist.
        every_steps: write one after every so many steps; 0 for none.
        every_epochs: write one after every so many epochs, behind the validation; 0 for none.
        keep_last: the newest that stay, at least 1; with 2, a damaged one has another before it.
        top_k: the best that stay besides; an epoch that is among them is always written.
        mode: `min` where a smaller metric is better, `max` where a larger is.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> CheckpointConfig(folder="runs/a", every_steps=100).keep_last
        2
    """

    folder: str = required("where checkpoints go", "str")
    every_steps: int = option(0, "steps between two checkpoints; 0: none", "int", low=0)
    every_epochs: int = option(1, "epochs between two checkpoints; 0: none", "int", low=0)
    keep_last: int = option(2, "the newest that stay", "int", low=1)
    top_k: int = option(1, "the best that stay besides", "int", low=0)
    mode: Literal["min", "max"] = option("min", "the better direction", "str", choices=("min", "max"))
