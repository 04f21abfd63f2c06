"""The sections of a configuration file beside `[split]`, `[model]` and `[training]`."""

import re
from dataclasses import dataclass
from typing import Literal

from trainsmith.data._options import Problem, check, option, required
from trainsmith.data._wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Which table to read and what its columns mean.

    Args:
        path: the CSV, Parquet or Arrow file; in a configuration file, relative to that file.
        target: the column to predict.
        drop: columns to leave out.
        categorical: columns whose cells are categories even though they are numbers; columns with other
            cells always are.
        missing: a missing cell is an `error`, becomes the training `mean` (in a categorical column: a category of its
            own), or the row is left out (`drop`).
        time: the column to sort by for a chronological split; not an input. Empty: none.
        group: the column whose equal cells stay together in a group split; not an input. Empty: none.
        weight: the column with the weight of each row in the loss; not an input. Empty: none.
        task: `classification` or `regression`; `auto` decides by the target's cells, see `detect_task`.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> DataConfig(path="t.csv", target="y").missing
        'error'
    """

    path: str = required("the table, a CSV, Parquet or Arrow file", "str")
    target: str = required("the column to predict", "str")
    drop: tuple[str, ...] = option((), "columns to leave out", "strs")
    categorical: tuple[str, ...] = option((), "further categorical columns; columns with a text always are", "strs")
    missing: Literal["error", "mean", "drop"] = option(
        "error", "what a missing cell means", "str", choices=("error", "mean", "drop")
    )
    time: str = option("", "the column to sort by, for a chronological split", "str")
    group: str = option("", "rows with equal cells here stay together, for a group split", "str")
    weight: str = option("", "the column with each row's weight in the loss", "str")
    task: Literal["auto", "classification", "regression"] = option(
        "auto", "decided by the target's cells", "str", choices=("auto", "classification", "regression")
    )

    def __post_init__(self) -> None:
        others = {
            "data.time": [self.time],
            "data.group": [self.group],
            "data.weight": [self.weight],
            "data.drop": self.drop,
            "data.categorical": self.categorical,
        }
        problems = [
            Problem(
                "the target can have no other role",
                f"{shown(self.target)} in data.target only",
                f"it also in {role}",
                "remove it there" + ('; set data.task to "classification"' if role == "data.categorical" else ""),
            )
            for role, names in others.items()
            if self.target in names
        ]
        check(self, problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsConfig:
    """How the rows of a time series become windows.

    Rows are put in the order of `data.time`, or taken in theirs; each `data.group` is a series of its own, and no
    window spans two series or two parts of the split.

    Args:
        size: rows per window; 0 predicts each row from itself alone.
        horizon: rows from the last of a window to the one whose target it predicts, at least 1.
        stride: rows from one training window to the next, at least 1.
        include_target: whether the past of a numeric target is among the inputs.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> WindowsConfig(size=24).horizon
        1
    """

    size: int = option(0, "rows per window; 0: no windows", "int", low=0)
    horizon: int = option(1, "rows from a window's last to its target", "int", low=1)
    stride: int = option(1, "rows from one window to the next", "int", low=1)
    include_target: bool = option(True, "whether the target's past is an input", "bool")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """Which optimizer to use.

    Args:
        name: `adamw` or `sgd`.
        weight_decay: decay of the weights per step, times the learning rate; at least 0.
        momentum: of `sgd`, in [0, 1).

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> OptimizerConfig().name
        'adamw'
    """

    name: Literal["adamw", "sgd"] = option("adamw", "the optimizer", "str", choices=("adamw", "sgd"))
    weight_decay: float = option(1e-2, "decay of the weights", "float", low=0)
    momentum: float = option(0.0, "momentum of sgd", "float", low=0, below=1)

    def __post_init__(self) -> None:
        check(self)
        if self.momentum and self.name != "sgd":
            check(
                self, [Problem("optimizer.momentum belongs to sgd", 'name = "sgd"', f'"{self.name}"', "remove the key")]
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleConfig:
    """How the learning rate changes over the epochs.

    Args:
        name: `constant`; `cosine`, down to 0 at the last epoch; `linear`, down to 0 after the last epoch; or `step`.
        warmup_epochs: epochs over which the rate first rises linearly to `training.learning_rate`; at least 0.
        step_size: epochs between two steps of `step`, at least 1.
        gamma: factor of the rate at each step of `step`, in (0, 1].

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> ScheduleConfig(name="cosine", warmup_epochs=5).gamma
        0.1
    """

    name: Literal["constant", "cosine", "linear", "step"] = option(
        "constant", "how the rate changes", "str", choices=("constant", "cosine", "linear", "step")
    )
    warmup_epochs: int = option(0, "epochs over which the rate rises", "int", low=0)
    step_size: int = option(30, "epochs between two steps of step", "int", low=1)
    gamma: float = option(0.1, "factor of the rate at each step of step", "float", above=0, high=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Where a run computes and what it writes.

    Args:
        device: `cpu`, `gpu` (`gpu:1`, ...), or `reference`, which is slow and for checking alone.
        dtype: `float32` or `float64`.
        output: the folder to write, relative to the working directory.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> RunConfig().dtype
        'float32'
    """

    device: str = option("cpu", "where to compute", "str")
    dtype: Literal["float32", "float64"] = option(
        "float32", "type of the weights", "str", choices=("float32", "float64")
    )
    output: str = option("runs/model", "the folder to write, relative to the working directory", "str")

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        gpu = re.fullmatch(r"gpu(:\d+)?", self.device) is not None
        if not gpu and self.device not in ("cpu", "reference"):
            wanted = '"cpu", "gpu", "gpu:1", ... or "reference"'
            problems.append(Problem("run.device must be known", wanted, shown(self.device), "choose one of them"))
        if gpu and self.dtype == "float64":
            problems.append(
                Problem("run.dtype must be one the device has", '"float32" on a GPU', shown(self.dtype), "use float32")
            )
        if not self.output.strip():
            problems.append(Problem("run.output must name a folder", "a path", shown(self.output), "name a new folder"))
        check(self, problems)
