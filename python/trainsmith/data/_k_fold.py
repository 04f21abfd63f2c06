"""Folds that are blocks of rows, plain or with the shares of the classes kept."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainsmith.data._folds import Fold, Rows, check_counts, check_folds, per_row, random_state, row_count
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, DataError


class KFold:
    """Tests on k blocks of rows in turn; the first n mod k blocks are one row longer.

    Args:
        n_splits: k, at least 2.
        shuffle: whether to shuffle the rows first.
        random_state: seed of the shuffle, 0 to 2**64 - 1; None draws another order each time.

    Raises:
        ConfigError: an argument out of range, or a seed without `shuffle`.

    Example:
        >>> import numpy as np
        >>> [test.tolist() for _, test in KFold(3).split(np.zeros(10))]
        [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]

    Source: the rows of each fold are those of scikit-learn's `KFold`.
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | None = None) -> None:
        _check("k_fold", n_splits, shuffle, random_state)
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            DataError: fewer rows than folds.
        """
        count = row_count(X, "k_fold")
        check_folds("k_fold", self.n_splits, count, "row")
        order = np.arange(count, dtype=np.int64)
        if self.shuffle:
            random_state(self.random_state).shuffle(order)
        return _folds(np.array_split(order, self.n_splits), count)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds."""
        return self.n_splits


class StratifiedKFold:
    """Tests on k parts in turn, each with the shares of the classes that the whole has.

    A class with fewer rows than folds is absent from some tests.

    Args:
        n_splits: k, at least 2.
        shuffle: whether to shuffle the rows of each class first.
        random_state: seed of the shuffle, 0 to 2**64 - 1; None draws another order each time.

    Raises:
        ConfigError: an argument out of range, or a seed without `shuffle`.

    Example:
        >>> import numpy as np
        >>> [test.tolist() for _, test in StratifiedKFold(2).split(np.zeros(6), [0, 0, 0, 0, 1, 1])]
        [[0, 1, 4], [2, 3, 5]]

    Source: the rows of each fold are those of scikit-learn's `StratifiedKFold`.
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, random_state: int | None = None) -> None:
        _check("stratified_k_fold", n_splits, shuffle, random_state)
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            ShapeError: `y` is absent or not one per row.
            DataError: fewer rows than folds, every class has fewer rows than folds, or `y` is continuous.
        """
        op = "stratified_k_fold"
        count = row_count(X, op)
        labels = per_row(y, count, "y", op)
        check_folds(op, self.n_splits, count, "row")
        if labels.dtype.kind == "f" and bool(np.any(labels % 1 != 0)):
            raise worded(
                DataError,
                op,
                "y must hold classes",
                expected="classes, such as whole numbers or texts",
                got="numbers with a fraction",
                step="use KFold, or cut y into classes",
            )
        _, first, places = np.unique(labels, return_index=True, return_inverse=True)
        # Classes are numbered by their first row, so that their names do not matter.
        classes = np.argsort(np.argsort(first))[places.ravel()]
        sizes = np.bincount(classes)
        if self.n_splits > int(sizes.max()):
            raise worded(
                DataError,
                op,
                "some class must reach every fold",
                expected=f"a class with at least {self.n_splits} rows",
                got=f"at most {sizes.max()}",
                step="use fewer folds",
            )
        # Dealing the sorted classes round-robin decides how many rows of each class a fold tests.
        dealt = np.sort(classes)
        shares = np.array(
            [np.bincount(dealt[fold :: self.n_splits], minlength=sizes.size) for fold in range(self.n_splits)]
        )
        generator = random_state(self.random_state) if self.shuffle else None
        fold_of = np.empty(count, dtype=np.int64)
        for number in range(sizes.size):
            folds = np.repeat(np.arange(self.n_splits), shares[:, number])
            if generator is not None:
                generator.shuffle(folds)
            fold_of[classes == number] = folds
        return _folds([np.flatnonzero(fold_of == fold) for fold in range(self.n_splits)], count)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds."""
        return self.n_splits


def _check(op: str, n_splits: int, shuffle: bool, seed: int | None) -> None:
    check_counts(op, least=2, n_splits=n_splits)
    if seed is not None:
        check_counts(op, random_state=seed)
        if not shuffle:
            raise worded(
                ConfigError,
                op,
                "random_state belongs to shuffle=True",
                expected="None",
                got=repr(seed),
                step="pass shuffle=True, or no seed",
            )


def _folds(tests: list[Rows], count: int) -> Iterator[Fold]:
    for test in tests:
        held = np.zeros(count, dtype=bool)
        held[test] = True
        yield np.flatnonzero(~held), np.flatnonzero(held)
