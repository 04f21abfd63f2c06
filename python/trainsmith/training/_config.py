"""The configurations of a training workflow, under the seed's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainsmith.data._options import Problem, check, declared, option
from trainsmith.training._plain import Plain

_EXTENSIONS = "free entries, kept as they are"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig(Plain):
    """How training rows are cut into batches.

    Args:
        batch_size: rows per training step, at least 1.
        shuffle: whether each epoch draws a new order.
        drop_last: whether to leave out a last batch with fewer rows.
        num_workers: threads that gather batches of arrays ahead of the step, in the same order; with 0 there is one
            where rows are shuffled or batches large, and none where it would cost more time than it saves. Chunks are
            loaded ahead by a thread of their own.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> BatchConfig.from_dict({"batch_size": 32}).shuffle
        True
    """

    batch_size: int = option(64, "rows per training step", "int", low=1)
    shuffle: bool = option(True, "a new order of the rows in every epoch", "bool")
    drop_last: bool = option(False, "leave out a last batch with fewer rows", "bool")
    num_workers: int = option(0, "threads that gather batches; 0: one where it pays", "int", low=0)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")

    def identity(self) -> dict[str, Any]:
        """Returns what decides which rows are in a batch, as plain values; the number of workers does not."""
        return {name: value for name, value in self.to_dict().items() if name != "num_workers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig(Plain):
    """Which model to make.

    Args:
        type: the model's name, such as `mlp`.
        architecture: its shape, such as `{"hidden": [64, 64], "dropout": 0.1}`.
        hyperparams: further settings of the model.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> ModelConfig(architecture={"hidden": [8]}).type
        'mlp'
    """

    type: str = option("mlp", "the model", "str")
    architecture: Mapping[str, Any] = option({}, "the model's shape", "map")
    hyperparams: Mapping[str, Any] = option({}, "further settings of the model", "map", in_file=False)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowConfig(Plain):
    """How to train.

    Args:
        num_epochs: largest number of passes over the training rows, at least 1.
        learning_rate: the rate before the schedule, above 0.
        early_stop_tolerance: an epoch improves where the validation loss falls by more than this, at least 0.
        max_no_improve: training stops after this many epochs without an improvement; 0 never stops early.
        random_seed: of the split, the first weights, the batches and dropout; 0 to 2**64 - 1.
        batch_config: how rows are cut into batches.
        model_config: which model to make.
        metric_configs: settings of further metrics by name.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> config = WorkflowConfig.from_dict({"num_epochs": 5, "batch_config": {"batch_size": 8}})
        >>> config.batch_config.batch_size, WorkflowConfig.from_dict(config.to_dict()) == config
        (8, True)
    """

    num_epochs: int = option(100, "largest number of passes over the training rows", "int", low=1)
    learning_rate: float = option(1e-3, "step size before the schedule", "float", above=0)
    early_stop_tolerance: float = option(1e-4, "smallest fall of the validation loss that counts", "float", low=0)
    max_no_improve: int = option(20, "stop after this many epochs without an improvement; 0: never", "int", low=0)
    random_seed: int = option(0, "the same seed gives the same run", "int", low=0, high=2**64 - 1)
    batch_config: BatchConfig = field(
        default_factory=BatchConfig, metadata=declared("batches", "config", config=BatchConfig)
    )
    model_config: ModelConfig = field(
        default_factory=ModelConfig, metadata=declared("the model", "config", config=ModelConfig, in_file=False)
    )
    metric_configs: Mapping[str, Any] = option({}, "settings of further metrics", "map", in_file=False)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig(Plain):
    """How rows are divided into training, validation and test.

    Args:
        strategy: `random`, `stratified`, `group`, `chronological` or `walk_forward`; `auto` is stratified for
            classification and random for regression.
        validation_ratio: share of the validation rows, in [0, 1).
        test_ratio: share of the test rows, in [0, 1).
        train_size: rows per training window of `walk_forward`; 0 where unused.
        test_size: rows per test window of `walk_forward`; 0 where unused.
        purge: rows left out before a test window of `walk_forward`.
        embargo: rows left out after a test window of `walk_forward`.
        random_seed: of the draw, 0 to 2**64 - 1.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> SplitConfig(validation_ratio=0.2).strategy
        'auto'
    """

    strategy: Literal["auto", "random", "stratified", "group", "chronological", "walk_forward"] = option(
        "auto",
        "how rows are divided; auto: stratified for classes, random for numbers",
        "str",
        choices=("auto", "random", "stratified", "group", "chronological", "walk_forward"),
    )
    validation_ratio: float = option(
        0.15, "share of the rows that stop training", "float", low=0, below=1, key="validation"
    )
    test_ratio: float = option(0.15, "share of the rows that judge the result", "float", low=0, below=1, key="test")
    train_size: int = option(0, "rows per training window of walk_forward", "int", low=0)
    test_size: int = option(0, "rows per test window of walk_forward", "int", low=0)
    purge: int = option(0, "rows left out before a test window of walk_forward", "int", low=0)
    embargo: int = option(0, "rows left out after a test window of walk_forward", "int", low=0)
    random_seed: int = option(0, "seed of the draw", "int", low=0, high=2**64 - 1, in_file=False)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")

    def __post_init__(self) -> None:
        check(self)
        problems: list[Problem] = []
        if self.validation_ratio + self.test_ratio >= 1:
            problems.append(
                Problem(
                    "split.validation and split.test must leave rows to train on",
                    "a sum below 1",
                    f"{self.validation_ratio:g} + {self.test_ratio:g}",
                    "make them smaller, such as 0.15 and 0.15",
                )
            )
        windows = {name: getattr(self, name) for name in ("train_size", "test_size", "purge", "embargo")}
        used = [name for name, rows in windows.items() if rows]
        if used and self.strategy != "walk_forward":
            problems.append(
                Problem(
                    f"split.{used[0]} belongs to walk_forward",
                    'strategy = "walk_forward"',
                    f'"{self.strategy}"',
                    "remove the key",
                )
            )
        check(self, problems)
