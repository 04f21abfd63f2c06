import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.training import LeakWarning, create_windows, parse_window_sizes

ROWS = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]


def windows_of(*args, **kwargs):
    return create_windows(*args, **{"allow_leak": True, **kwargs})


def test_the_defaults_are_those_of_the_original():
    windows, labels = windows_of(ROWS, 3)
    assert windows.tolist() == [ROWS[0:3], ROWS[1:4], ROWS[2:5]]
    assert labels.tolist() == [6, 8, 10]
    assert windows.dtype == labels.dtype == np.float64
    assert windows_of(ROWS[:2], 2)[1].tolist() == [4]
    assert windows_of(ROWS[:2], 1)[1].tolist() == [2, 4]


@pytest.mark.parametrize(("rows", "length"), [(ROWS[:1], 5), (ROWS, 0), (ROWS, -1), (None, 3), ([], 1), (ROWS, 6)])
def test_without_room_for_a_window_there_is_none(rows, length):
    windows, labels = create_windows(rows, length)
    assert (len(windows), len(labels)) == (0, 0)


def test_windows_are_a_copy_unless_asked_otherwise():
    data = np.array(ROWS, dtype=np.float32)
    windows, _ = windows_of(data, 2)
    windows[:] = 0
    assert data.tolist() == ROWS
    assert windows.dtype == np.float32
    view, _ = windows_of(data, 2, copy=False)
    assert np.shares_memory(view, data)
    assert not view.flags.writeable


@pytest.mark.parametrize(("column", "shares"), [(0, True), (2, True), (-1, True), (1, False)])
def test_dropping_the_label_of_an_outer_column_copies_nothing(column, shares):
    data = np.arange(15.0).reshape(5, 3)
    view, labels = create_windows(data, 2, label_column=column, drop_label_from_inputs=True, copy=False)
    assert np.shares_memory(view, data) == shares
    assert np.array_equal(view[0], np.delete(data[:2], column, axis=1))
    assert np.array_equal(labels, data[1:, column])


@given(
    rows=st.integers(0, 25),
    length=st.integers(1, 8),
    horizon=st.integers(0, 5),
    stride=st.integers(1, 4),
    column=st.integers(-3, 2),
    drop=st.booleans(),
    copy=st.booleans(),
)
def test_windows_and_labels_stand_where_they_should(rows, length, horizon, stride, column, drop, copy):
    data = np.random.default_rng(rows).normal(size=(rows, 3))
    options = {"horizon": horizon, "stride": stride, "label_column": column, "drop_label_from_inputs": drop}
    windows, labels = windows_of(data, length, copy=copy, **options)
    starts = [start for start in range(0, rows, stride) if start + length + horizon <= rows]
    assert len(windows) == len(labels) == len(starts)
    for start, window, label in zip(starts, windows, labels, strict=True):
        expected = data[start : start + length]
        assert np.array_equal(window, np.delete(expected, column, axis=1) if drop else expected)
        assert label == data[start + length - 1 + horizon, column]
    ragged, same = windows_of(data.tolist(), length, allow_ragged=True, **options)
    assert np.array_equal(same, labels)
    assert [[row.tolist() for row in window] for window in ragged] == windows.tolist()


def test_ragged_rows_are_refused_unless_asked_for():
    rows = [[1], [2, 3, 4], [5, 6]]
    with pytest.raises(ShapeError, match=r"expected 1 cell, got 3 in row 1"):
        windows_of(rows, 2)
    windows, labels = windows_of(rows, 2, allow_ragged=True)
    assert labels.tolist() == [4, 6]
    assert [row.tolist() for row in windows[0]] == [[1], [2, 3, 4]]
    with pytest.raises(ShapeError, match="row 1"):
        windows_of([[1], []], 2, allow_ragged=True)


def test_a_label_in_the_window_is_a_warning():
    with pytest.warns(LeakWarning, match="label of each window"):
        create_windows(ROWS, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_windows(ROWS, 2, horizon=1)
        create_windows(ROWS, 2, drop_label_from_inputs=True)
        create_windows(ROWS, 2, allow_leak=True)


def test_the_label_is_nowhere_in_windows_without_it():
    data = np.random.default_rng(0).normal(size=(200, 2))
    windows, labels = create_windows(data, 5, drop_label_from_inputs=True)
    assert not np.isin(labels, windows).any()


@pytest.mark.parametrize(
    ("error", "rows", "options"),
    [
        (ShapeError, [[], []], {}),
        (ShapeError, [1.0, 2.0], {}),
        (ShapeError, np.zeros(3), {}),
        (ShapeError, np.zeros((3, 2)), {"label_column": 2}),
        (ShapeError, np.zeros((3, 2)), {"label_column": -3}),
        (ConfigError, ROWS, {"horizon": -1}),
        (ConfigError, ROWS, {"stride": 0}),
        (DataError, [[1, float("nan")], [1, 2]], {}),
        (DataError, [[1, float("inf")], [1, 2]], {"allow_ragged": True}),
        (DataError, [["a", "b"], ["c", "d"]], {}),
    ],
)
def test_what_gives_no_windows_is_refused(error, rows, options):
    with pytest.raises(error, match="create_windows: "):
        windows_of(rows, 1, **options)


def test_non_finite_cells_are_named_and_can_be_accepted():
    rows = [[1, 2], [float("nan"), 4]]
    with pytest.raises(DataError, match="nan in row 1, column 0"):
        windows_of(rows, 1)
    assert np.isnan(windows_of(rows, 1, allow_non_finite=True)[0]).sum() == 1


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("15,30,60,120", [15, 30, 60, 120]),
        ("42", [42]),
        (" 10 , 20 , 30 ", [10, 20, 30]),
        ("", []),
        ("10,abc,20", [10, 20]),
        ("foo,bar", []),
        ("5,10,", [5, 10]),
        ("+5,-3,0", [5, -3, 0]),
        ("1e3,10.0,0x10,1_000", []),
        ("7,7", [7, 7]),
        ("99999999999999999999,4", [4]),
        ("٣,4", [4]),
    ],
)
def test_lenient_sizes_are_those_of_the_original(text, sizes):
    assert parse_window_sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("10,abc,20", "'abc' at index 1"),
        ("5,10,", "'' at index 2"),
        ("", "'' at index 0"),
        ("0", "'0' at index 0"),
        ("5,-3", "'-3' at index 1"),
        ("1e3", "'1e3'"),
        ("4,99999999999999999999", "index 1"),
    ],
)
def test_strict_sizes_name_the_part(text, place):
    with pytest.raises(ConfigError, match=place):
        parse_window_sizes(text, strict=True)
    assert parse_window_sizes(" 15 ,30", strict=True) == [15, 30]
