import numpy as np
import pytest

from trainsmith.data._cells import number, numbers
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
