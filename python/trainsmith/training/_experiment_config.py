"""The configurations of backends, sequences and cross-validation, under the seed's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainsmith.data._options import Problem, check, option
from trainsmith.training._plain import Plain

_EXTENSIONS = "free entries, kept as they are"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(Plain):
    """How a `Backend` trains.

    Args:
        epochs: passes over the training rows, at least 1.
        batch_size: rows per training step, at least 1.
        learning_rate: step size, above 0.
        weight_decay: decay of the weights, at least 0.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> TrainConfig(epochs=5).batch_size
        64
    """

    epochs: int = option(100, "passes over the training rows", "int", low=1)
    batch_size: int = option(64, "rows per training step", "int", low=1)
    learning_rate: float = option(1e-3, "step size", "float", above=0)
    weight_decay: float = option(0.0, "decay of the weights", "float", low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceConfig(Plain):
    """How a `SequenceProvider` cuts rows into sequences.

    Args:
        max_seq_len: rows per sequence at most, at least 1.
        num_sequences: how many sequences; 0 as many as the rows fill.
        strategy: `consecutive`, one after the other; `random`, starting anywhere; or `curriculum`, growing from short
            to `max_seq_len`.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> SequenceConfig(max_seq_len=32, num_sequences=8).strategy
        'consecutive'
    """

    max_seq_len: int = option(128, "rows per sequence at most", "int", low=1)
    num_sequences: int = option(0, "how many sequences; 0: as many as the rows fill", "int", low=0)
    strategy: Literal["consecutive", "random", "curriculum"] = option(
        "consecutive", "how sequences are chosen", "str", choices=("consecutive", "random", "curriculum")
    )
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class CVConfig(Plain):
    """How rows are divided into folds.

    Args:
        strategy: `k_fold`, `stratified` (shares of the classes kept), `group` (groups kept together), `time_series`
            (growing past, next block), `purged` (blocks with gaps) or `walk_forward` (windows of fixed sizes).
        num_folds: folds, at least 2; `walk_forward` takes as many as fit.
        group_by: for `group`: the metadata entry or column with the group of each row.
        purge_gap: rows left out next to each test block, at least 0.
        embargo: further rows left out after each test block by `purged` and `walk_forward`.
        test_size: of `time_series` and `walk_forward`: a share of the rows in (0, 1), or a number of rows; 0 for the
            strategy's default.
        train_size: of `walk_forward`: training rows of the first fold; 0 for as many as the test rows leave.
        expanding: whether the training rows of `walk_forward` grow, or roll on with their size.
        shuffle: whether `k_fold` and `stratified` shuffle the rows first.
        random_seed: of that shuffle, 0 to 2**64 - 1.
        ddof: 0 for the population standard deviation over the folds, 1 for the sample's.
        extensions: free entries, kept as they are.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> CVConfig(strategy="time_series", num_folds=3, purge_gap=1).test_size
        0
    """

    strategy: Literal["k_fold", "stratified", "group", "time_series", "purged", "walk_forward"] = option(
        "k_fold",
        "how rows are divided",
        "str",
        choices=("k_fold", "stratified", "group", "time_series", "purged", "walk_forward"),
    )
    num_folds: int = option(5, "folds", "int", low=2)
    group_by: str = option("", "the column with the group of each row", "str")
    purge_gap: int = option(0, "rows left out next to each test block", "int", low=0)
    embargo: int = option(0, "further rows left out after each test block", "int", low=0)
    test_size: float = option(0, "test rows, as a share or a number; 0: the default", "float", low=0)
    train_size: int = option(0, "training rows of the first fold of walk_forward", "int", low=0)
    expanding: bool = option(True, "whether the training rows of walk_forward grow", "bool")
    shuffle: bool = option(False, "shuffle the rows first", "bool")
    random_seed: int = option(0, "seed of the shuffle", "int", low=0, high=2**64 - 1)
    ddof: int = option(0, "0: population standard deviation, 1: sample", "int", low=0, high=1)
    extensions: Mapping[str, Any] = option({}, _EXTENSIONS, "map")

    def __post_init__(self) -> None:
        Plain.__post_init__(self)
        problems: list[Problem] = []
        if self.test_size >= 1 and self.test_size != int(self.test_size):
            problems.append(
                Problem(
                    "CVConfig.test_size must be a share or a number of rows",
                    "a number in (0, 1), or a whole number",
                    f"{self.test_size:g}",
                    "choose one of them",
                )
            )
        if self.embargo and self.strategy not in ("purged", "walk_forward"):
            problems.append(
                Problem(
                    "CVConfig.embargo belongs to purged and walk_forward",
                    'strategy = "purged"',
                    f'"{self.strategy}"',
                    "use purge_gap, or another strategy",
                )
            )
        check(self, problems)
