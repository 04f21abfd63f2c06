"""From a table on disk to the arrays of one training job."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainsmith.data import Split, Strategy, split_rows
from trainsmith.data._cells import MISSING
from trainsmith.data._feature_columns import MAX_CATEGORIES
from trainsmith.data._wording import counted, shown, worded
from trainsmith.data.tabular import (
    NumericColumn,
    Preprocessor,
    Table,
    Target,
    complete_rows,
    looks_like_identifier,
    read_table,
    required_numbers,
    times_of,
)
from trainsmith.errors import ConfigError, DataError
from trainsmith.training._arrays import Arrays
from trainsmith.training._config import SplitConfig
from trainsmith.training._job_config import JobConfig
from trainsmith.training._sections import DataConfig, WindowsConfig
from trainsmith.training._window_rows import gathered_windows, series_inputs, time_order, window_starts

_PARTS = ("train", "validation", "test")
_STRATA = 10
_ROWS_PER_STRATUM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A table, split and encoded; everything learned from data comes from the training rows.

    Args:
        table: the rows in use.
        rows_in_file: for each of them, its data row in the file, counted from 0, shape (rows,).
        strategy: how they were divided.
        split: rows of `table` by part; with windows, the rows whose targets the windows predict.
        preprocessor: makes the inputs.
        target: makes the targets and maps predictions back.
        train: the training rows.
        validation: the validation rows; None where there are none.
        test: the test rows; None where there are none.
        notes: what a reader of the result should know, one line each.

    Example:
        `prepare` shows one.
    """

    table: Table
    rows_in_file: npt.NDArray[np.int64]
    strategy: Strategy
    split: Split
    preprocessor: Preprocessor
    target: Target
    train: Arrays
    validation: Arrays | None
    test: Arrays | None
    notes: tuple[str, ...]


def prepare(config: JobConfig, source: Table | None = None) -> Prepared:
    r"""Reads, checks, splits and encodes the table of a job.

    Args:
        config: the job; `data.path` is taken as it is.
        source: the table, where it is read already.

    Returns:
        The arrays and what made them.

    Raises:
        IoError: the file is missing or cannot be read.
        ConfigError: `walk_forward`, which gives more than one split.
        DataError: the table, a column or a cell does not fit the configuration; line and column are named.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import JobConfig, prepare
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,y\n" + "".join(f"{i},{'no' if i % 2 else 'yes'}\n" for i in range(20)))
        >>> prepared = prepare(JobConfig.from_sections({"data": {"path": str(path), "target": "y"}}))
        >>> prepared.split.sizes, prepared.target.classes
        ((14, 3, 3), ('no', 'yes'))
        >>> folder.cleanup()
    """
    loaded = load(config, source)
    strategy = _strategy(config, loaded.everything)
    split = _split(loaded.table, strategy, config.split, config.data, loaded.everything, loaded.labels)
    return encode(config, loaded, split, strategy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A table before it is split.

    Args:
        table: the rows in use.
        rows_in_file: for each of them, its data row in the file, counted from 0, shape (rows,).
        dropped: rows that are not in use.
        features: the input columns.
        everything: the target, fitted on all rows, for splits alone.
        labels: what it makes of the rows.
    """

    table: Table
    rows_in_file: npt.NDArray[np.int64]
    dropped: int
    features: list[str]
    everything: Target
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float64]


def load(config: JobConfig, source: Table | None = None) -> Loaded:
    """Reads and checks the table of a job.

    Args:
        config: the job.
        source: the table, where it is read already.

    Returns:
        The rows in use.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: the table or a column does not fit the configuration.

    Example:
        `prepare` calls it.
    """
    data = config.data
    whole = read_table(data.path) if source is None else source
    features = feature_columns(whole, data, whole_row=not config.windows.size)
    table, rows_in_file = _rows_in_use(whole, data, features)
    everything = Target.fit(table, data.target, train=np.arange(table.rows), task=data.task)
    return Loaded(
        table=table,
        rows_in_file=rows_in_file,
        dropped=whole.rows - table.rows,
        features=features,
        everything=everything,
        labels=everything.encode(table),
    )


def encode(config: JobConfig, loaded: Loaded, split: Split, strategy: Strategy) -> Prepared:
    """Encodes the parts of a split; everything that is learned from data comes from its training rows.

    Args:
        config: the job.
        loaded: the rows.
        split: rows by part; rows in no part are left out.
        strategy: how they were divided.

    Returns:
        The arrays and what made them.

    Raises:
        DataError: a cell does not fit, or a part has no window.

    Example:
        `prepare` calls it.
    """
    table, data, windows = loaded.table, config.data, config.windows
    target = Target.fit(table, data.target, train=split.train, task=loaded.everything.task)
    preprocessor = Preprocessor.fit(
        table, loaded.features, train=split.train, categorical=data.categorical, missing=data.missing
    )
    dtype = np.dtype(config.run.dtype)
    y = target.encode(table)
    y = y if target.classes else y.astype(dtype)[:, None]
    weight = _weights(table, data)
    notes = [
        *_row_notes(loaded.dropped, loaded.everything, loaded.labels, split),
        *_column_notes(preprocessor, table, split),
    ]
    inputs = series_inputs(table, preprocessor, target, windows) if windows.size else preprocessor.transform(table)
    inputs = inputs.astype(dtype)
    order, starts = np.arange(table.rows), np.zeros(0, np.int64)
    if windows.size:
        order, series = time_order(table, data.time, data.group)
        codes = np.full(table.rows, -1, np.int64)
        for code, rows in enumerate((split.train, split.validation, split.test)):
            codes[rows] = code
        starts = window_starts(codes[order], series, windows)
        labelled = order[starts + windows.size + windows.horizon - 1]
        split = Split(**{name: labelled[codes[labelled] == code] for code, name in enumerate(_PARTS)})
        _check_windows(split, windows, table)

    def part(rows: npt.NDArray[np.int64], name: str) -> Arrays | None:
        if not rows.size:
            return None
        if windows.size:
            place = np.empty(table.rows, np.int64)
            place[order] = np.arange(table.rows)
            first = place[rows] - windows.size - windows.horizon + 1
            x = gathered_windows(inputs[order], first, windows.size)
        else:
            x = inputs[rows]
        return Arrays(x=x, y=y[rows], weight=_mean_one(weight, rows, name, dtype))

    train = part(split.train, "training")
    assert train is not None, "a split has training rows"
    return Prepared(
        table=table,
        rows_in_file=loaded.rows_in_file,
        strategy=strategy,
        split=split,
        preprocessor=preprocessor,
        target=target,
        train=train,
        validation=part(split.validation, "validation"),
        test=part(split.test, "test"),
        notes=tuple(notes),
    )


def _check_windows(split: Split, windows: WindowsConfig, table: Table) -> None:
    if not split.train.size:
        raise worded(
            DataError,
            "prepare",
            f"the training rows of {table.source} must hold a window",
            expected=f"{windows.size + windows.horizon} rows of one series in a row",
            got="fewer",
            step="make windows.size or windows.horizon smaller, or add rows",
        )


def feature_columns(table: Table, data: DataConfig, *, whole_row: bool = True) -> list[str]:
    """Returns the columns that are inputs: all but those with another role.

    Args:
        table: the table.
        data: the roles.
        whole_row: whether a prediction is made from one row, so that there must be an input beside the target.

    Returns:
        Column names in the file's order.

    Raises:
        DataError: a column that the configuration names does not exist, or no input is left.

    Example:
        >>> from trainsmith.data.tabular import Table
        >>> from trainsmith.training import DataConfig
        >>> table = Table(source="t.csv", columns={"id": ["1"], "a": ["2"], "y": ["3"]}, lines=[2])
        >>> feature_columns(table, DataConfig(path="t.csv", target="y", drop=("id",)))
        ['a']
    """
    roles = [("data.target", data.target), ("data.time", data.time), ("data.group", data.group)]
    roles += [("data.weight", data.weight), *(("data.drop", name) for name in data.drop)]
    taken = {name for _, name in roles if name}
    for role, name in [*roles, *(("data.categorical", name) for name in data.categorical)]:
        if name:
            table.column(name, role)
    features = [name for name in table.columns if name not in taken]
    if not features and whole_row:
        raise worded(
            DataError,
            "prepare",
            f"{table.source} must have a column to predict from",
            expected="at least 1 column beside target, time, group, weight and drop",
            got="none",
            step="remove names from data.drop, or check the delimiter of the file",
        )
    return features


def _rows_in_use(table: Table, data: DataConfig, features: Sequence[str]) -> tuple[Table, npt.NDArray[np.int64]]:
    named = [name for name in (data.target, data.time, data.group, data.weight) if name]
    if data.missing != "drop":
        return table, np.arange(table.rows, dtype=np.int64)
    rows = complete_rows(table, [*features, *named])
    if not rows.size:
        emptiest = max([*features, *named], key=lambda name: sum(cell in MISSING for cell in table.columns[name]))
        raise worded(
            DataError,
            "prepare",
            f"{table.source} must have a row without a missing cell",
            expected="at least 1 complete row",
            got=f"none; column {shown(emptiest)} has the most missing cells",
            step='set data.missing to "mean", or list the column in data.drop',
        )
    return table.take(rows), rows


def _strategy(config: JobConfig, target: Target) -> Strategy:
    strategy = config.split.strategy
    if strategy == "auto":
        return "chronological" if config.windows.size else "stratified" if target.classes else "random"
    if strategy == "walk_forward":
        raise worded(
            ConfigError,
            "prepare",
            "split.strategy must give one split",
            expected="random, stratified, group or chronological",
            got='"walk_forward", which gives one split per window',
            step='set it to "chronological", or run: trainsmith cv',
        )
    return strategy


def _split(
    table: Table,
    strategy: Strategy,
    config: SplitConfig,
    data: DataConfig,
    target: Target,
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float64],
) -> Split:
    groups = None
    if strategy == "group":
        groups = table.column(data.group, "data.group")
        row = next((row for row, cell in enumerate(groups) if cell in MISSING), None)
        if row is not None:
            raise worded(
                DataError,
                "prepare",
                f"column {shown(data.group)} must have a value in every row",
                expected="a group",
                got=f"{shown(groups[row])} on line {table.lines[row]} of {table.source}",
                step="fill the cell or remove the row",
            )
    return split_rows(
        table.rows,
        strategy=strategy,
        validation=config.validation_ratio,
        test=config.test_ratio,
        seed=config.random_seed,
        labels=labels if target.classes else strata_of(labels.astype(np.float64)),
        groups=groups,
        times=times_of(table, data.time) if strategy == "chronological" and data.time else None,
    )


def strata_of(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Cuts a regression target at its quantiles into classes for a stratified split."""
    count = max(1, min(_STRATA, values.size // _ROWS_PER_STRATUM))
    borders = np.quantile(values, np.arange(1, count) / count)
    return np.searchsorted(borders, values, side="right").astype(np.int64)


def _weights(table: Table, data: DataConfig) -> npt.NDArray[np.float64] | None:
    if not data.weight:
        return None
    weight = required_numbers(table, data.weight, "data.weight")
    negative = np.flatnonzero(weight < 0)
    if negative.size:
        row = int(negative[0])
        raise worded(
            DataError,
            "prepare",
            f"column {shown(data.weight)} must hold weights",
            expected="numbers of at least 0",
            got=f"{shown(table.columns[data.weight][row])} on line {table.lines[row]} of {table.source}",
            step="fix the cell",
        )
    return weight


def _mean_one(
    weight: npt.NDArray[np.float64] | None, rows: npt.NDArray[np.int64], part: str, dtype: np.dtype[np.floating]
) -> npt.NDArray[np.floating] | None:
    if weight is None:
        return None
    mean = float(weight[rows].mean())
    if mean == 0:
        raise worded(
            DataError,
            "prepare",
            f"the {part} rows must carry weight",
            expected="a weight above 0 in some row",
            got="0 in all of them",
            step="check data.weight",
        )
    return (weight[rows] / mean).astype(dtype)


def _row_notes(
    dropped: int, target: Target, labels: npt.NDArray[np.int64] | npt.NDArray[np.float64], split: Split
) -> list[str]:
    notes: list[str] = []
    if dropped:
        notes.append(f"left out {counted(dropped, 'row')} with missing cells, as data.missing is drop")
    if target.classes:
        sizes = np.bincount(labels.astype(np.int64), minlength=len(target.classes))
        single = [shown(name) for name, size in zip(target.classes, sizes, strict=True) if size == 1]
        if single:
            notes.append(f"{counted(len(single), 'class', 'classes')} with one row only: {', '.join(single[:5])}")
        untrained = sorted(set(range(len(target.classes))) - set(labels[split.train].tolist()))
        if untrained:
            names = ", ".join(shown(target.classes[one]) for one in untrained[:5])
            notes.append(f"{counted(len(untrained), 'class', 'classes')} without a training row: {names}")
    return notes


def _column_notes(preprocessor: Preprocessor, table: Table, split: Split) -> list[str]:
    notes: list[str] = []
    for column in preprocessor.columns:
        cells = table.columns[column.name]
        name = shown(column.name)
        if isinstance(column, NumericColumn):
            if column.std == 0:
                notes.append(f"column {name} does not vary over the training rows and has no effect")
        elif (
            len(column.categories) == MAX_CATEGORIES
            and len({cells[row] for row in split.train.tolist()}) > MAX_CATEGORIES
        ):
            notes.append(f"column {name} keeps its {MAX_CATEGORIES} most frequent categories")
        if looks_like_identifier(table, column.name):
            notes.append(f"column {name} differs in every row, like an identifier; consider data.drop")
    return notes
