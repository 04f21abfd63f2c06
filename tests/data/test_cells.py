import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.data._cells import MISSING, number, numbers
from trainsmith.data.tabular import Table, required_numbers
from trainsmith.errors import DataError


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("1", ".", 1.0),
        ("-1.5e3", ".", -1500.0),
        (".5", ".", 0.5),
        ("+2", ".", 2.0),
        ("1,5", ",", 1.5),
        ("1.5", ",", 1.5),
        ("1.234,5", ",", None),
        ("1,5", ".", None),
        ("1_000", ".", None),
        ("inf", ".", None),
        ("1e999", ".", None),
        ("nan", ".", None),
        ("x", ".", None),
        ("", ".", None),
    ],
)
def test_number(cell, decimal, value):
    assert number(cell, decimal) == value


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null", "None", "?", "#N/A"])
def test_missing_cells_are_nan_and_not_odd(cell):
    values, odd = numbers(["1", cell, "2"])
    np.testing.assert_array_equal(values, [1.0, np.nan, 2.0])
    assert odd == []


@pytest.mark.parametrize("cell", ["", "inf", "x"])
def test_required_numbers_name_line_and_column(cell):
    table = Table(source="t.csv", columns={"w": ["1", cell]}, lines=[2, 7])
    with pytest.raises(DataError, match=r"column 'w'.*on line 7 of t\.csv"):
        required_numbers(table, "w", "data.weight")


@given(st.lists(st.sampled_from(["1", "-2.5", "1e3", " 7 ", "1_0", "inf", "nan", "", "x", "1,5", "٣"]), max_size=6))
def test_the_short_cut_for_plain_numbers_changes_nothing(cells):
    for decimal in ".,":
        expected = [math.nan if cell in MISSING else number(cell, decimal) for cell in cells]
        values, odd = numbers(cells, decimal)
        assert odd == [row for row, value in enumerate(expected) if value is None]
        np.testing.assert_array_equal(values, [math.nan if value is None else value for value in expected])
