import numpy as np
import pytest

from trainsmith.data.tabular import Table, times_of
from trainsmith.errors import DataError


def times(*cells):
    return times_of(Table(source="t.csv", columns={"t": list(cells)}, lines=list(range(2, len(cells) + 2))), "t")


@pytest.mark.parametrize(
    "cells",
    [
        ("3", "10", "20.5"),
        ("2024-01-31", "2024-02-01", "2024-10-01"),
        ("2024-01-31 23:59:59", "2024-02-01T00:00:00.5", "2024-02-01 00:00:01"),
        ("2024-01-01T12:00:00+02:00", "2024-01-01T11:00:00Z", "2024-01-01T12:00:00+00:00"),
    ],
)
def test_numbers_sort_like_the_times(cells):
    assert np.all(np.diff(times(*cells)) > 0)


@pytest.mark.parametrize("bad", ["", "31.12.2024", "12", "2024-01-01T00:00:00Z"])
def test_another_form_is_named_with_its_line(bad):
    with pytest.raises(DataError, match=r"line 3 of t\.csv"):
        times("2024-01-01", bad)
