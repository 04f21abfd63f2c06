"""Windows of a time series as a data provider, split in time and standardised by the past."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith.data import window_purge
from trainsmith.data._moments import mean_and_std
from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._element import T_co
from trainsmith.training._windows import create_windows

Array = npt.NDArray[Any]

_OP = "window_data_provider"


class WindowDataProvider(ArrayDataProvider[T_co]):
    """Gives windows of rows in time order, with the label some rows later.

    The last rows are for validation: a training window and its label end before the border, a validation window starts
    after it, so `window_purge` windows are left out between the two. Means and deviations come from the rows before the
    border; inputs and labels are standardised by them. No window spans two groups.

    Args:
        rows: shape (rows, features), in time order, finite.
        window_len: rows per window, at least 1.
        horizon: rows from a window's last to its label, at least 1, or at least 0 without the label among the inputs.
        stride: rows from one window to the next, at least 1.
        label_column: the column with the labels; negative numbers count from the end.
        drop_label_from_inputs: whether the inputs leave out the label's column.
        validation_ratio: share of each group's rows for validation, in [0, 1).
        groups: the series that each row belongs to, shape (rows,); None for one series.
        standardise: whether to standardise; otherwise the values stay as they are.
        dtype: `float32` or `float64`.
        seed: of the shuffles.
        device: where the batches go.

    Raises:
        ConfigError: numbers out of range, or a label that stands in its own window.
        ShapeError: no table of rows, or no such column.
        DataError: a cell that is not finite, or too few rows for one training window.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import WindowDataProvider
        >>> rows = np.arange(20.0)[:, np.newaxis]
        >>> provider = WindowDataProvider(rows, window_len=3, horizon=1, validation_ratio=0.4)
        >>> metadata = provider.get_metadata()
        >>> metadata["rows"], metadata["validation_rows"], metadata["input_shapes"]
        (9, 5, {'x': (3, 1)})
    """

    def __init__(
        self,
        rows: npt.ArrayLike,
        *,
        window_len: int,
        horizon: int = 1,
        stride: int = 1,
        label_column: int = -1,
        drop_label_from_inputs: bool = False,
        validation_ratio: float = 0.2,
        groups: npt.ArrayLike | None = None,
        standardise: bool = True,
        dtype: str = "float32",
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        gap = window_purge(window_len, horizon)
        if (horizon == 0 and not drop_label_from_inputs) or not 0 <= validation_ratio < 1:
            raise worded(
                ConfigError,
                _OP,
                "the label must not stand in its window, and the split must leave rows to train on",
                expected="a horizon of at least 1 or drop_label_from_inputs, and validation_ratio in [0, 1)",
                got=f"horizon {horizon} and validation_ratio {validation_ratio:g}",
                step="change them",
            )
        table: Array = np.asarray(rows)
        if table.ndim != 2 or not table.size or table.dtype.kind not in "fiub":
            raise worded(
                ShapeError,
                _OP,
                "rows must be a table of numbers",
                expected="shape (rows, features) with at least one of each",
                got=f"{table.dtype} of shape {table.shape}",
                step="convert the rows first",
            )
        parts = list(_parts(table.shape[0], groups, validation_ratio))
        moments = [(0.0, 1.0)] * table.shape[1]
        if standardise:
            past = np.concatenate([train for train, _ in parts])
            moments = [mean_and_std(column.astype(np.float64)) for column in table[past].T]
        mean, std = np.array([one for one, _ in moments]), np.array([one or 1.0 for _, one in moments])
        scaled = ((table - mean) / std).astype(dtype)

        def windows(chosen: list[Array]) -> tuple[Array, Array, Array]:
            made = [
                create_windows(
                    scaled[part] if groups is not None else scaled[part[0] : part[-1] + 1],
                    window_len,
                    horizon=horizon,
                    stride=stride,
                    label_column=label_column,
                    drop_label_from_inputs=drop_label_from_inputs,
                    copy=False,
                )
                for part in chosen
                if part.size
            ]
            ends = [part[gap::stride][: labels.size] for part, (_, labels) in zip(_filled(chosen), made, strict=True)]
            if len(made) == 1:
                return made[0][0], made[0][1], ends[0]
            return (
                np.concatenate([one for one, _ in made]),
                np.concatenate([one for _, one in made]),
                np.concatenate(ends),
            )

        x, y, ends = windows([train for train, _ in parts])
        if not y.size:
            raise worded(
                DataError,
                _OP,
                "there must be a training window",
                expected=f"at least {counted(window_len + horizon, 'training row')} in a group",
                got=str(max(train.size for train, _ in parts)),
                step="add rows, or make window_len, horizon or validation_ratio smaller",
            )
        held = windows([late for _, late in parts]) if any(late.size for _, late in parts) else None
        super().__init__(
            x,
            y[:, np.newaxis],
            validation=None if held is None or not held[1].size else (held[0], held[1][:, np.newaxis]),
            columns={"label_row": ends},
            metadata={
                "window_len": window_len,
                "horizon": horizon,
                "stride": stride,
                "input_mean": mean,
                "input_std": std,
                "target_mean": float(mean[label_column]),
                "target_std": float(std[label_column]),
            },
            seed=seed,
            device=device,
            allow_non_finite=True,  # create_windows has checked the rows
        )


def _parts(count: int, groups: npt.ArrayLike | None, ratio: float) -> Iterator[tuple[Array, Array]]:
    """Yields the rows of each group before and after its border."""
    found = np.zeros(count, np.int64) if groups is None else np.asarray(groups)
    if found.shape != (count,):
        raise worded(
            ShapeError,
            _OP,
            "groups must have one entry per row",
            expected=f"shape ({count},)",
            got=shown(found.shape),
            step="pass the group of each row",
        )
    _, index = np.unique(found, return_inverse=True)
    for group in range(int(index.max()) + 1):
        rows = np.flatnonzero(index == group)
        border = rows.size - round(rows.size * ratio)
        yield rows[:border], rows[border:]


def _filled(parts: list[Array]) -> list[Array]:
    return [part for part in parts if part.size]
