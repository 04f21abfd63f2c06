"""Folds of rows in time order: growing past, blocks with gaps, walk-forward windows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainsmith.data._folds import Fold, Rows, check_counts, check_folds, check_train, row_count
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, DataError


class TimeSeriesSplit:
    """Trains on the past and tests on the block that follows, k times; the last test ends with the last row.

    Args:
        n_splits: k, at least 2.
        max_train_size: training rows at most; None for all of the past.
        test_size: rows per test, or a share of the rows in (0, 1); None for n // (k + 1).
        gap: rows left out between training and test rows, at least 0.

    Raises:
        ConfigError: an argument out of range.

    Example:
        >>> import numpy as np
        >>> folds = TimeSeriesSplit(2, test_size=2, gap=2).split(np.zeros(10))
        >>> [(train.tolist(), test.tolist()) for train, test in folds]
        [([0, 1, 2, 3], [6, 7]), ([0, 1, 2, 3, 4, 5], [8, 9])]

    Source: the rows of each fold are those of scikit-learn's `TimeSeriesSplit`.
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        max_train_size: int | None = None,
        test_size: float | None = None,
        gap: int = 0,
    ) -> None:
        check_counts("time_series_split", least=2, n_splits=n_splits)
        check_counts("time_series_split", gap=gap)
        if max_train_size is not None:
            check_counts("time_series_split", least=1, max_train_size=max_train_size)
        _check_size("time_series_split", "test_size", test_size)
        self.n_splits = n_splits
        self.max_train_size = max_train_size
        self.test_size = test_size
        self.gap = gap

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            DataError: too few rows for the folds.
        """
        op = "time_series_split"
        count = row_count(X, op)
        check_folds(op, self.n_splits + 1, count, "row")
        size = _size(self.test_size, count, count // (self.n_splits + 1))
        first = count - self.n_splits * size
        check_train(op, np.arange(max(0, first - self.gap), dtype=np.int64), 0)
        return self._folds(range(first, count, size), size)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds."""
        return self.n_splits

    def _folds(self, starts: range, size: int) -> Iterator[Fold]:
        for start in starts:
            end = start - self.gap
            begin = 0 if self.max_train_size is None else max(0, end - self.max_train_size)
            yield _span(begin, end), _span(start, start + size)


class PurgedKFold:
    """Tests on k blocks of rows in turn and leaves gaps around each test block out of the training rows.

    Args:
        n_splits: k, at least 2; blocks are those of `KFold`.
        purge: rows left out on each side of the test block, at least 0; `window_purge` says how many windows need.
        embargo: further rows left out after the test block, at least 0.

    Raises:
        ConfigError: an argument out of range.

    Example:
        >>> import numpy as np
        >>> [train.tolist() for train, _ in PurgedKFold(3, purge=1, embargo=1).split(np.zeros(9))]
        [[5, 6, 7, 8], [0, 1, 8], [0, 1, 2, 3, 4]]

    Source: Lopez de Prado, Advances in Financial Machine Learning, 2018, section 7.4, counted in rows.
    """

    def __init__(self, n_splits: int = 5, *, purge: int = 0, embargo: int = 0) -> None:
        check_counts("purged_k_fold", least=2, n_splits=n_splits)
        check_counts("purged_k_fold", purge=purge, embargo=embargo)
        self.n_splits = n_splits
        self.purge = purge
        self.embargo = embargo

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            DataError: fewer rows than folds, or gaps that leave a fold without training rows.
        """
        op = "purged_k_fold"
        count = row_count(X, op)
        check_folds(op, self.n_splits, count, "row")
        blocks = np.array_split(np.arange(count, dtype=np.int64), self.n_splits)
        folds = [
            (check_train(op, self._train(int(test[0]), int(test[-1]) + 1, count), fold), test)
            for fold, test in enumerate(blocks)
        ]
        return iter(folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds."""
        return self.n_splits

    def _train(self, start: int, stop: int, count: int) -> Rows:
        return np.concatenate([_span(0, start - self.purge), _span(stop + self.purge + self.embargo, count)])


class WalkForward:
    """Trains on a window of the past and tests on the rows that follow, again and again as far as the rows reach.

    Fold k tests the rows `first + k * step` to `first + k * step + test_size - 1`, first = train_size + purge, and
    trains on the rows up to `purge` rows before, without the `embargo` rows after each earlier test window. Rows at the
    end that fill no whole test window are not used.

    Args:
        train_size: training rows of the first fold, at least 1; of every fold unless `expanding`.
        test_size: rows per test, at least 1.
        step: rows from one test to the next, at least 1; None for `test_size`.
        purge: rows left out before each test, at least 0; `window_purge` says how many windows need.
        embargo: rows left out of later training rows after each test, at least 0.
        expanding: whether the training rows grow, instead of rolling on.

    Raises:
        ConfigError: an argument out of range.

    Example:
        >>> import numpy as np
        >>> [(train.tolist(), test.tolist()) for train, test in WalkForward(3, 2, purge=1).split(np.zeros(9))]
        [([0, 1, 2], [4, 5]), ([2, 3, 4], [6, 7])]

    Source: Pardo, Design, Testing, and Optimization of Trading Systems, 1992, chapter 9.
    """

    def __init__(
        self,
        train_size: int,
        test_size: int,
        *,
        step: int | None = None,
        purge: int = 0,
        embargo: int = 0,
        expanding: bool = False,
    ) -> None:
        check_counts("walk_forward", least=1, train_size=train_size, test_size=test_size)
        if step is not None:
            check_counts("walk_forward", least=1, step=step)
        check_counts("walk_forward", purge=purge, embargo=embargo)
        self.train_size = train_size
        self.test_size = test_size
        self.step = test_size if step is None else step
        self.purge = purge
        self.embargo = embargo
        self.expanding = expanding

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            DataError: too few rows for one fold, or an embargo that leaves a fold without training rows.
        """
        starts = self._starts(X)
        folds = [
            (check_train("walk_forward", self._train(start, starts[:fold]), fold), _span(start, start + self.test_size))
            for fold, start in enumerate(starts)
        ]
        return iter(folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds, which depends on the rows.

        Args:
            X: the rows.
            y: not used.
            groups: not used.

        Raises:
            ShapeError: no rows are given.
            DataError: too few rows for one fold.
        """
        return len(self._starts(X))

    def _starts(self, X: Any) -> range:
        count = row_count(X, "walk_forward")
        first = self.train_size + self.purge
        starts = range(first, count - self.test_size + 1, self.step)
        if not starts:
            raise worded(
                DataError,
                "walk_forward",
                "there must be rows for one fold",
                expected=f"at least {first + self.test_size} rows",
                got=str(count),
                step="add rows, or make the windows smaller",
            )
        return starts

    def _train(self, start: int, earlier: range) -> Rows:
        end = start - self.purge
        train = _span(0 if self.expanding else end - self.train_size, end)
        for test in earlier if self.embargo else ():
            stop = test + self.test_size
            train = train[(train < stop) | (train >= stop + self.embargo)]
        return train


def _span(start: int, stop: int) -> Rows:
    return np.arange(max(0, start), max(0, stop), dtype=np.int64)


def _check_size(op: str, name: str, value: float | None) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 1
    if value is not None and not whole and not (isinstance(value, float) and 0 < value < 1):
        raise worded(
            ConfigError,
            op,
            f"{name} must be a number or a share of rows",
            expected="a whole number of at least 1, or a share in (0, 1)",
            got=repr(value),
            step=f"change {name}",
        )


def _size(value: float | None, count: int, default: int) -> int:
    """Returns a number of rows from a number or a share."""
    if value is None:
        return default
    return max(1, int(count * value)) if value < 1 else int(value)
