"""Cuts rows of a time series into windows, without the future and, where asked, without the label."""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, cast, overload

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import ConfigError, DataError, ShapeError

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.ArrayLike | Sequence[Sequence[float]] | None

_OP = "create_windows"


class LeakWarning(UserWarning):
    """What a model should predict is part of what it sees."""


@overload
def create_windows(
    data: Rows,
    window_len: int,
    *,
    horizon: int = 0,
    stride: int = 1,
    label_column: int = -1,
    drop_label_from_inputs: bool = False,
    copy: bool = True,
    allow_leak: bool = False,
    allow_non_finite: bool = False,
    allow_ragged: Literal[False] = False,
) -> tuple[Floats, Floats]: ...
@overload
def create_windows(
    data: Rows,
    window_len: int,
    *,
    horizon: int = 0,
    stride: int = 1,
    label_column: int = -1,
    drop_label_from_inputs: bool = False,
    copy: bool = True,
    allow_leak: bool = False,
    allow_non_finite: bool = False,
    allow_ragged: Literal[True],
) -> tuple[list[list[Floats]], Floats]: ...
def create_windows(
    data: Rows,
    window_len: int,
    *,
    horizon: int = 0,
    stride: int = 1,
    label_column: int = -1,
    drop_label_from_inputs: bool = False,
    copy: bool = True,
    allow_leak: bool = False,
    allow_non_finite: bool = False,
    allow_ragged: bool = False,
) -> tuple[Floats | list[list[Floats]], Floats]:
    """Cuts rows into overlapping windows with one label each.

    Window i holds the rows `i * stride` to `i * stride + window_len - 1`; its label stands in `label_column`, `horizon`
    rows after the window's last. The defaults give every window and the last cell of its own last row, which a model
    can copy from its input: that is a `LeakWarning`.

    Args:
        data: shape (rows, features); float arrays keep their dtype, everything else becomes float64.
        window_len: rows per window; with 0, a negative number, or fewer rows than a window needs, there is no window.
        horizon: rows from the last row of a window to its label, at least 0.
        stride: rows from one window to the next, at least 1.
        label_column: the label's column; negative numbers count from the end.
        drop_label_from_inputs: whether the windows leave out the label's column.
        copy: whether the windows are a copy; otherwise they are a read-only view that shares the memory of `data`,
            also where the first or last column is left out.
        allow_leak: whether the label may be in the window without a warning.
        allow_non_finite: whether NaN and infinite cells are accepted.
        allow_ragged: whether rows may differ in length; the windows are then lists of rows.

    Returns:
        Windows, shape (windows, window_len, features), and labels, shape (windows,).

    Raises:
        ConfigError: a horizon below 0 or a stride below 1.
        ShapeError: rows of different lengths, rows without cells, or no such column.
        DataError: a cell that is no number, or not finite.

    Example:
        >>> import numpy as np
        >>> windows, labels = create_windows(np.arange(10.0).reshape(5, 2), 3, horizon=1)
        >>> windows.shape, labels
        ((2, 3, 2), array([7., 9.]))
    """
    if horizon < 0 or stride < 1:
        raise worded(
            ConfigError,
            _OP,
            "horizon and stride must be counts of rows",
            expected="a horizon of at least 0 and a stride of at least 1",
            got=f"{horizon} and {stride}",
            step="change them",
        )
    rows = [] if data is None else _rows(data)
    if horizon == 0 and not drop_label_from_inputs and not allow_leak and window_len > 0 and len(rows) >= window_len:
        warnings.warn(
            "create_windows: the label of each window is also in its last row; set horizon, drop_label_from_inputs, or "
            "allow_leak=True where that is meant",
            LeakWarning,
            stacklevel=2,
        )
    starts = range(0, len(rows) - window_len - horizon + 1, stride) if window_len > 0 else range(0)
    if allow_ragged:
        lags = range(window_len), window_len - 1 + horizon
        return _ragged_windows(rows, lags, starts, label_column, drop_label_from_inputs, allow_non_finite)
    table = _table(rows, allow_non_finite)
    features = table.shape[1]
    if not starts:
        return np.zeros((0, max(window_len, 0), features), table.dtype), np.zeros(0, table.dtype)
    column = _column(label_column, features, "every row")
    labels = table[window_len - 1 + horizon :: stride, column][: len(starts)].copy()
    if drop_label_from_inputs:
        # A slice keeps the memory of the rows; only a column in the middle needs a copy.
        if column in (0, features - 1):
            table = table[:, 1:] if column == 0 else table[:, :-1]
        else:
            table = np.delete(table, column, axis=1)
    view = np.lib.stride_tricks.sliding_window_view(table, window_len, axis=0)[::stride][: len(starts)]
    windows = view.swapaxes(1, 2)
    return (windows.copy(order="C") if copy else windows), labels


def _rows(data: object) -> Floats | list[Any]:
    if isinstance(data, list | tuple):
        return list(cast(Sequence[Any], data))
    found: npt.NDArray[Any] = np.asarray(data)
    if found.ndim != 2:
        raise worded(
            ShapeError,
            _OP,
            "data must be a table",
            expected="shape (rows, features)",
            got=str(found.shape),
            step="reshape the array",
        )
    return found


def _table(rows: Floats | list[Any], allow_non_finite: bool) -> Floats:
    if isinstance(rows, list):
        lengths = [np.size(row) for row in rows]
        odd = next((place for place, length in enumerate(lengths) if length != lengths[0] or not length), None)
        if odd is not None:
            raise worded(
                ShapeError,
                _OP,
                "rows must have the same number of cells, at least one",
                expected=counted(max(lengths[0], 1), "cell"),
                got=f"{lengths[odd]} in row {odd}",
                step="fill the row, or pass allow_ragged=True",
            )
    table = _numbers(rows) if len(rows) else np.zeros((0, 0))
    if table.ndim != 2 or (len(rows) and not table.shape[1]):
        raise worded(
            ShapeError,
            _OP,
            "rows must be lists of numbers, at least one",
            expected="shape (rows, features)",
            got=str(table.shape),
            step="check the rows",
        )
    _check_finite(table, allow_non_finite)
    return table


def _numbers(values: object) -> Floats:
    try:
        found: npt.NDArray[Any] = np.asarray(values)
        return found if found.dtype.kind == "f" else found.astype(np.float64)
    except (TypeError, ValueError):
        raise worded(
            DataError,
            _OP,
            "cells must be numbers",
            expected="numbers",
            got=shown(values),
            step="convert the rows first",
        ) from None


def _check_finite(table: Floats, allow_non_finite: bool, row: int | None = None) -> None:
    if allow_non_finite or np.isfinite(table).all():
        return
    place = np.argwhere(~np.isfinite(table))[0].tolist()
    raise worded(
        DataError,
        _OP,
        "cells must be finite",
        expected="a finite number",
        got=f"{table[tuple(place)]} in row {place[0] if row is None else row}, column {place[-1]}",
        step="fill the cell, or pass allow_non_finite=True",
    )


def _column(label_column: int, features: int, where: str) -> int:
    column = label_column + features if label_column < 0 else label_column
    if not 0 <= column < features:
        raise worded(
            ShapeError,
            _OP,
            f"label_column must be in {where}",
            expected=f"{-features} to {features - 1}" if features else "a row with cells",
            got=str(label_column),
            step="choose another column",
        )
    return column


def _ragged_windows(
    rows: Floats | list[Any],
    lags: tuple[range, int],
    starts: range,
    label_column: int,
    drop_label: bool,
    allow_non_finite: bool,
) -> tuple[list[list[Floats]], Floats]:
    cells = [_numbers(row).ravel() for row in rows]
    for place, row in enumerate(cells):
        _check_finite(row, allow_non_finite, place)
    steps, label_lag = lags
    labelled = [start + label_lag for start in starts]
    labels = np.array(
        [cells[place][_column(label_column, cells[place].size, f"row {place}")] for place in labelled], np.float64
    )
    if drop_label:
        cells = [np.delete(row, _column(label_column, row.size, f"row {place}")) for place, row in enumerate(cells)]
    return [[cells[start + step].copy() for step in steps] for start in starts], labels
