import pytest

from trainsmith.data.tabular import Table, column_kind, looks_like_identifier
from trainsmith.errors import DataError


def table(cells, name="a", decimal="."):
    return Table(source="t.csv", columns={name: cells}, lines=list(range(2, len(cells) + 2)), decimal=decimal)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2"], "numeric"),
        (["1.5", ""], "numeric"),
        (["", "NA"], "numeric"),
        (["x", "y", "x"], "categorical"),
        (["true", "false"], "categorical"),
        (["1", "2", "3", "X"], "categorical"),
        (["1.5", "x", "y", "z"], "categorical"),
        (["x", ""], "categorical"),
    ],
)
def test_kind(cells, kind):
    assert column_kind(table(cells), "a") == kind


@pytest.mark.parametrize("stray", ["abc", "inf", "1,5", "12 cm"])
def test_a_stray_text_among_measurements_is_an_error_with_its_line(stray):
    cells = [*(f"{0.1 * i:.1f}" for i in range(30)), stray]
    with pytest.raises(DataError, match=r"on line 32 of t\.csv; fix the cell"):
        column_kind(table(cells), "a")


def test_a_stray_text_among_many_whole_numbers_is_an_error():
    with pytest.raises(DataError, match="on line 27"):
        column_kind(table([*map(str, range(25)), "abc"]), "a")


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("id", ["1", "2", "3"], True),
        ("Patient ID", ["1", "2", "3"], True),
        ("name", ["ann", "bob", "cid"], True),
        ("name", ["ann", "bob", "ann"], False),
        ("age", ["31", "32", "33"], False),
        ("id", ["1", "2"], False),
    ],
)
def test_identifiers(name, cells, expected):
    assert looks_like_identifier(table(cells, name), name) is expected


def test_numbers_with_a_decimal_comma_are_no_identifiers():
    assert not looks_like_identifier(table(["1,5", "2,5", "3,5"], decimal=","), "a")
