"""Cuts rows into sequences for training, and divides them in two."""

import threading
from collections.abc import Callable
from typing import Any, Generic

import numpy as np

from trainsmith.data import split_rows
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError
from trainsmith.training._array_provider import Array, ArrayDataProvider
from trainsmith.training._config import SplitConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._element import T
from trainsmith.training._experiment_config import SequenceConfig
from trainsmith.training._materialise import materialise
from trainsmith.training._protocols_data import DataProvider

_OP = "sequence_provider"

Difficulty = Callable[[ArrayDataProvider[Any]], float]


class DefaultSequenceProvider(Generic[T]):
    """Makes sequences of neighbouring rows, and splits; equal seeds give equal results.

    `consecutive` cuts the rows one after the other; the last sequence may be shorter. `random` starts anywhere, with
    different starts as long as there are enough. `curriculum` grows linearly from one row to `max_seq_len`, and starts
    anywhere; with a `difficulty` all sequences have the full length and come from easy to hard instead. Where
    `num_sequences` is 0, there are as many as fill the rows.

    Args:
        seed: of the draws, 0 to 2**64 - 1.
        difficulty: how hard a sequence is; None for a curriculum by length.

    Raises:
        ConfigError: a seed out of range.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import ArrayDataProvider, SequenceConfig
        >>> rows = ArrayDataProvider(np.zeros((7, 2)), np.zeros(7))
        >>> config = SequenceConfig(max_seq_len=3)
        >>> [one.rows for one in DefaultSequenceProvider().generate_sequences(rows, config)]
        [3, 3, 1]

    Source: curricula by length after Bengio et al., Curriculum Learning, 2009.
    """

    def __init__(self, seed: int = 0, *, difficulty: Difficulty | None = None) -> None:
        self._lock = threading.Lock()
        self._difficulty = difficulty
        self.set_random_seed(seed)

    def set_random_seed(self, seed: int) -> None:
        """Sets the seed of later calls.

        Args:
            seed: 0 to 2**64 - 1.

        Raises:
            ConfigError: a seed out of range.
        """
        if not 0 <= seed < 2**64:
            raise worded(
                ConfigError,
                _OP,
                "the seed must fit 64 bits",
                expected="0 to 2**64 - 1",
                got=shown(seed),
                step="change it",
            )
        with self._lock:
            self._seed = seed

    def generate_sequences(
        self, dataset: DataProvider[T], config: SequenceConfig, *, ctx: RunContext | None = None
    ) -> list[ArrayDataProvider[T]]:
        """Makes training sequences; see `SequenceProvider.generate_sequences`.

        Raises:
            DataError: there are no rows.
            CancelledError: the context was done.
        """
        raise_if_done(ctx, "generate_sequences")
        rows = materialise(dataset, ctx=ctx)
        if not rows.rows:
            raise worded(
                DataError,
                _OP,
                "there must be rows",
                expected="at least 1 row",
                got="none",
                step="check the data provider",
            )
        longest = min(config.max_seq_len, rows.rows)
        count = config.num_sequences or -(-rows.rows // longest)
        if config.strategy == "consecutive":
            starts = np.arange(0, rows.rows, longest, dtype=np.int64)[:count]
            spans = [(int(start), min(longest, rows.rows - int(start))) for start in starts]
        else:
            spans = self._drawn(config.strategy == "curriculum" and self._difficulty is None, rows.rows, longest, count)
        sequences: list[ArrayDataProvider[T]] = []
        for start, length in spans:
            raise_if_done(ctx, "generate_sequences")
            sequences.append(rows.take(np.arange(start, start + length, dtype=np.int64)))
        if config.strategy == "curriculum" and self._difficulty is not None:
            sequences.sort(key=self._difficulty)
        return sequences

    def generate_train_validation_split(
        self, dataset: DataProvider[T], config: SplitConfig, *, ctx: RunContext | None = None
    ) -> tuple[ArrayDataProvider[T], ArrayDataProvider[T]]:
        """Divides the training rows in two; see `SequenceProvider.generate_train_validation_split`.

        `config.test_ratio` is not used. `stratified` takes the targets as classes, `group` and `chronological` the
        columns `group` and `time` of the data set, where the latter may be absent. `auto` is stratified for targets of
        an integer dtype and random otherwise. The draw depends on the provider's seed and on `config.random_seed`.

        Raises:
            ConfigError: `walk_forward`, which gives more than one split, or a group split without groups.
            DataError: too few rows.
            CancelledError: the context was done.
        """
        raise_if_done(ctx, "generate_train_validation_split")
        rows = materialise(dataset, ctx=ctx)
        strategy = config.strategy
        if strategy == "auto":
            strategy = "stratified" if rows.targets.dtype.kind in "iub" else "random"
        groups = rows.column("group")
        if strategy == "walk_forward" or (strategy == "group" and groups is None):
            raise worded(
                ConfigError,
                _OP,
                "the split must be possible with these rows",
                expected="one split; for group a column of that name",
                got=shown(strategy),
                step="choose another strategy, or pass columns to the data provider",
            )
        with self._lock:
            draw = np.random.SeedSequence([self._seed, config.random_seed]).generate_state(1, np.uint64)[0]
        split = split_rows(
            rows.rows,
            strategy=strategy,
            validation=config.validation_ratio,
            test=0.0,
            seed=int(draw),
            labels=_classes(rows.targets) if strategy == "stratified" else None,
            groups=None if groups is None else [str(one) for one in groups.tolist()],
            times=rows.column("time") if strategy == "chronological" else None,
        )
        return rows.take(split.train), rows.take(split.validation)

    def _drawn(self, growing: bool, rows: int, longest: int, count: int) -> list[tuple[int, int]]:
        """Draws start and length of each sequence."""
        with self._lock:
            generator = np.random.default_rng(self._seed)
        if growing:
            lengths = [max(1, -(-longest * (number + 1) // count)) for number in range(count)]
            return [(int(generator.integers(rows - length + 1)), length) for length in lengths]
        possible = rows - longest + 1
        rounds = [generator.permutation(possible) for _ in range(-(-count // possible))]
        return [(int(start), longest) for start in np.concatenate(rounds)[:count]]


def _classes(targets: Array) -> Array:
    """Numbers the classes of targets with one class per row."""
    flat = targets.reshape(targets.shape[0], -1)
    if flat.shape[1] != 1 or (flat.dtype.kind == "f" and bool(np.any(flat % 1 != 0))):
        raise worded(
            DataError,
            _OP,
            "a stratified split needs classes",
            expected="one whole number per row as target",
            got=f"{targets.dtype} of shape {targets.shape}",
            step='use strategy="random"',
        )
    return np.unique(flat[:, 0], return_inverse=True)[1].ravel()
