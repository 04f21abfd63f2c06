"""How long a run is and what it does besides its steps."""

from dataclasses import dataclass
from typing import Literal

from trainsmith.data._options import option
from trainsmith.training._plain import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopConfig(Plain):
    """How long a run is and what it does besides its steps; limits hold over all sittings of a resumed run.

    Args:
        max_epochs: epochs at most, at least 1.
        max_steps: steps at most; 0 for no limit.
        max_seconds: time at most, asked after each step; 0 for no limit.
        validate_every: epochs between two validations; the last epoch is always validated.
        sanity_batches: validation batches that are measured and thrown away before the first step, to find mistakes.
        overfit_batches: train on the first so many batches again and again and validate on them; 0 for all.
        fast_dev_run: run so many training and validation batches of one epoch, without checkpoints; 0 for a real run.
        on_nan: what a loss or gradient that is not finite does: `error` raises, `stop` ends the run, `skip` leaves the
            batch out, which has changed nothing where a gradient was bad; a validation counts as no improvement.
        restore_best: whether the model ends with its best weights where there was a validation.
        read_every: steps after which their losses are read together, at least 1.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> LoopConfig(max_epochs=3).restore_best
        True
    """

    max_epochs: int = option(100, "epochs at most", "int", low=1)
    max_steps: int = option(0, "steps at most; 0: no limit", "int", low=0)
    max_seconds: float = option(0.0, "seconds at most; 0: no limit", "float", low=0)
    validate_every: int = option(1, "epochs between two validations", "int", low=1)
    sanity_batches: int = option(0, "validation batches before the first step", "int", low=0)
    overfit_batches: int = option(0, "train on so many batches alone; 0: all", "int", low=0)
    fast_dev_run: int = option(0, "run so many batches alone, once; 0: a real run", "int", low=0)
    on_nan: Literal["error", "stop", "skip"] = option(
        "error", "what a loss that is not finite does", "str", choices=("error", "stop", "skip")
    )
    restore_best: bool = option(True, "end with the best weights", "bool")
    read_every: int = option(64, "steps after which losses are read together", "int", low=1)
