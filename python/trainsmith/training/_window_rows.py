"""Windows over the rows of a table: in time order, inside one series and one part of the split."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data.tabular import Preprocessor, Table, Target, required_numbers, times_of
from trainsmith.training._sections import DataConfig, WindowsConfig

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]


def time_order(table: Table, time: str, group: str) -> tuple[Ints, Ints]:
    """Sorts rows by series and, inside a series, by time.

    Args:
        table: the rows.
        time: the time column; empty where the rows are in time order.
        group: the column of the series; empty for one series.

    Returns:
        The rows in their order, and the number of the series of each row in that order.

    Raises:
        DataError: a column does not exist, or a time is none.

    Example:
        >>> table = Table(source="t.csv", columns={"t": ["3", "1", "2"], "g": ["a", "b", "a"]}, lines=[2, 3, 4])
        >>> [one.tolist() for one in time_order(table, "t", "g")]
        [[2, 0, 1], [0, 0, 1]]
    """
    times = times_of(table, time) if time else np.arange(table.rows, dtype=np.float64)
    series = np.zeros(table.rows, np.int64)
    if group:
        series = np.unique(np.array(table.column(group, "data.group")), return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((times, series)).astype(np.int64)
    return order, series[order]


def window_starts(parts: Ints, series: Ints, windows: WindowsConfig, *, labelled: bool = True) -> Ints:
    """Finds the windows that lie in one series and one part with all their rows, and their label where they have one.

    Args:
        parts: the part of each row in time order, below 0 for rows in no part.
        series: the series of each row.
        windows: length, horizon and stride.
        labelled: whether a window must have its label.

    Returns:
        The place of each window's first row.

    Example:
        >>> one = np.zeros(6, np.int64)
        >>> window_starts(np.array([0, 0, 0, 0, 1, 1]), one, WindowsConfig(size=2, horizon=1)).tolist()
        [0, 1]
    """
    span = windows.size + (windows.horizon if labelled else 0)
    starts = np.arange(0, max(0, parts.size - span + 1), windows.stride, dtype=np.int64)
    border = (np.diff(parts) != 0) | (np.diff(series) != 0)
    segment = np.concatenate([np.zeros(1, np.int64), np.cumsum(border)])
    return starts[(segment[starts] == segment[starts + span - 1]) & (parts[starts] >= 0)]


def gathered_windows(values: Floats, starts: Ints, size: int) -> Floats:
    """Copies windows out of rows.

    Args:
        values: rows in time order, shape (rows, features).
        starts: the place of each window's first row.
        size: rows per window.

    Returns:
        Shape (windows, size, features).

    Example:
        >>> gathered_windows(np.arange(4.0)[:, None], np.array([0, 2]), 2)[..., 0].tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """
    return values[starts[:, np.newaxis] + np.arange(size)]


def series_inputs(table: Table, preprocessor: Preprocessor, target: Target, windows: WindowsConfig) -> Floats:
    """Encodes the rows that windows are cut from.

    Args:
        table: the rows.
        preprocessor: encodes the input columns.
        target: its standardised past is the last feature where `include_target` is set and it is a number.
        windows: whether it is.

    Returns:
        Shape (rows, features), float64.

    Raises:
        DataError: a column or a cell is missing or does not fit.

    Example:
        `prepare` makes them.
    """
    inputs = preprocessor.transform(table)
    if not includes_target(target, windows):
        return inputs
    past = (required_numbers(table, target.name, "data.target") - target.mean) / target.std
    return np.concatenate([inputs, past[:, np.newaxis]], axis=1)


def includes_target(target: Target, windows: WindowsConfig) -> bool:
    """Says whether the past of the target is among the inputs: where it is asked for and is a number.

    Args:
        target: the target.
        windows: what is asked for.

    Returns:
        Whether it is.

    Example:
        >>> includes_target(Target(name="y", task="regression"), WindowsConfig(size=3))
        True
    """
    return windows.include_target and target.task == "regression"


def roles_of(data: DataConfig) -> dict[str, str]:
    """Returns the columns that order rows, as an artefact keeps them.

    Args:
        data: the roles of columns.

    Returns:
        `time` and `group`.

    Example:
        >>> roles_of(DataConfig(path="t.csv", target="y", time="day"))
        {'time': 'day', 'group': ''}
    """
    return {"time": data.time, "group": data.group}
