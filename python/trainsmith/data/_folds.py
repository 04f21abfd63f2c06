"""What the splitters share: the number of rows, the checks, and gaps around test rows."""

from collections.abc import Iterator
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import ConfigError, DataError, ShapeError

Rows = npt.NDArray[np.int64]
Fold = tuple[Rows, Rows]


class Splitter(Protocol):
    """Divides rows into folds, with scikit-learn's interface."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yields the folds.

        Args:
            X: anything with one entry per row.
            y: the target of each row, where the splitter asks for it.
            groups: the group of each row, where the splitter asks for it.

        Returns:
            Training and test rows of each fold, counted from 0, ascending, int64.
        """
        ...

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Returns the number of folds.

        Args:
            X: the rows, where the number depends on them.
            y: not used.
            groups: not used.
        """
        ...


def row_count(X: Any, op: str) -> int:
    """Returns the number of rows.

    Args:
        X: anything with a shape or a length.
        op: the splitter's name.

    Returns:
        The length of the first axis.

    Raises:
        ShapeError: there is no first axis.

    Example:
        >>> row_count([[1, 2], [3, 4]], "k_fold")
        2
    """
    shape = getattr(X, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(X)
    except (TypeError, IndexError):
        raise worded(
            ShapeError,
            op,
            "X must have rows",
            expected="an array or a list",
            got=type(X).__name__,
            step="pass the rows",
        ) from None


def per_row(values: Any, count: int, name: str, op: str) -> npt.NDArray[Any]:
    """Returns values that must have one entry per row.

    Args:
        values: the values; None is refused.
        count: the number of rows.
        name: what they are, for the message.
        op: the splitter's name.

    Returns:
        Shape (count,).

    Raises:
        ShapeError: absent, or not one per row.

    Example:
        >>> per_row([0, 1], 2, "y", "k_fold").tolist()
        [0, 1]
    """
    found: npt.NDArray[Any] | None = None if values is None else np.asarray(values)
    if found is not None and found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found is None or found.shape != (count,):
        raise worded(
            ShapeError,
            op,
            f"{name} must have one entry per row",
            expected=counted(count, "entry", "entries"),
            got="none" if found is None else f"shape {found.shape}",
            step=f"pass {name}",
        )
    return found


def check_counts(op: str, *, least: int = 0, **counts: object) -> None:
    """Refuses arguments that are no whole numbers of at least `least`.

    Args:
        op: the splitter's name.
        least: the smallest allowed number.
        counts: argument by name.

    Raises:
        ConfigError: one is not.

    Example:
        >>> check_counts("k_fold", least=2, n_splits=5)
    """
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise worded(
                ConfigError,
                op,
                f"{name} must be a count",
                expected=f"a whole number of at least {least}",
                got=shown(cast(object, value)),
                step=f"change {name}",
            )


def check_folds(op: str, n_splits: int, count: int, noun: str) -> None:
    """Refuses more folds than there are rows or groups to fill them.

    Args:
        op: the splitter's name.
        n_splits: the folds.
        count: rows or groups.
        noun: which of them.

    Raises:
        DataError: too many folds.

    Example:
        >>> check_folds("k_fold", 3, 10, "row")
    """
    if n_splits > count:
        raise worded(
            DataError,
            op,
            f"every fold needs a {noun}",
            expected=f"at least {counted(n_splits, noun)} for {n_splits} folds",
            got=str(count),
            step=f"use fewer folds, or add {noun}s",
        )


def check_train(op: str, train: Rows, fold: int) -> Rows:
    """Refuses a fold without training rows.

    Args:
        op: the splitter's name.
        train: the training rows.
        fold: the fold's number.

    Returns:
        The rows.

    Raises:
        DataError: there are none.

    Example:
        >>> check_train("k_fold", np.array([1]), 0).tolist()
        [1]
    """
    if not train.size:
        raise worded(
            DataError,
            op,
            f"fold {fold} must have training rows",
            expected="at least 1 row",
            got="none",
            step="add rows, or make test blocks and gaps smaller",
        )
    return train


def random_state(seed: int | None) -> np.random.RandomState:
    """Returns NumPy's legacy generator, with which scikit-learn shuffles: equal seeds give equal folds.

    Args:
        seed: 0 to 2**64 - 1; None draws another each time.

    Returns:
        The generator.

    Example:
        >>> random_state(0).permutation(4).tolist()
        [2, 3, 1, 0]
    """
    if seed is not None and seed >= 2**32:
        return np.random.RandomState([seed % 2**32, seed // 2**32])
    return np.random.RandomState(seed)


def window_purge(window_len: int, horizon: int = 0) -> int:
    """Returns the rows to leave out between training and test rows, so that no window spans their border.

    `window_len + horizon - 1`

    Args:
        window_len: rows per window, at least 1.
        horizon: rows from a window's last to its label, at least 0.

    Returns:
        The smallest safe purge.

    Raises:
        ConfigError: numbers out of range.

    Example:
        >>> window_purge(24, horizon=1)
        24
    """
    check_counts("window_purge", least=1, window_len=window_len)
    check_counts("window_purge", horizon=horizon)
    return window_len + horizon - 1
