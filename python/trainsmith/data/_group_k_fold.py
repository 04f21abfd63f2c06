"""Folds that keep groups of rows together."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainsmith.data._folds import Fold, check_counts, check_folds, per_row, row_count

_OP = "group_k_fold"


class GroupKFold:
    """Tests on k parts in turn; the rows of one group are never on both sides.

    Groups go, largest first, to the part with the fewest rows; equal groups in the order of their names, equal parts in
    the order of their numbers.

    Args:
        n_splits: k, at least 2.

    Raises:
        ConfigError: fewer than 2 folds.

    Example:
        >>> import numpy as np
        >>> [test.tolist() for _, test in GroupKFold(2).split(np.zeros(5), groups=["a", "b", "b", "c", "c"])]
        [[0, 1, 2], [3, 4]]

    Source: the rule of scikit-learn's `GroupKFold`, which orders groups of one size differently.
    """

    def __init__(self, n_splits: int = 5) -> None:
        check_counts(_OP, least=2, n_splits=n_splits)
        self.n_splits = n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields training and test rows of each fold; see `Splitter.split`.

        Raises:
            ShapeError: `groups` is absent or not one per row.
            DataError: fewer groups than folds.
        """
        count = row_count(X, _OP)
        names, members = np.unique(per_row(groups, count, "groups", _OP), return_inverse=True)
        check_folds(_OP, self.n_splits, names.size, "group")
        sizes = np.bincount(members.ravel())
        filled = np.zeros(self.n_splits, dtype=np.int64)
        fold_of = np.empty(names.size, dtype=np.int64)
        for group in np.argsort(-sizes, kind="stable"):
            lightest = int(np.argmin(filled))
            fold_of[group] = lightest
            filled[lightest] += sizes[group]
        return self._folds(fold_of[members.ravel()])

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds."""
        return self.n_splits

    def _folds(self, fold_of: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[Fold]:
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
