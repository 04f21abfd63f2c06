"""Columnar tables say what the CSV file of the same values says."""

import datetime

import numpy as np
import pytest

from trainsmith.data import _arrow
from trainsmith.data.tabular import read_arrow, read_csv, read_parquet, read_table
from trainsmith.errors import DataError, IoError

pa = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
pq = pytest.importorskip("pyarrow.parquet")

VALUES = {
    "a": [1.5, None, 1e-300, 0.1],
    "n": [1, 2, 3, 4],
    "ok": [True, False, None, True],
    "name": ["x", " padded ", "", "z"],
    "day": [datetime.date(2024, 5, 31)] * 4,
}
CELLS = {
    "a": ["1.5", "", "1e-300", "0.1"],
    "n": ["1", "2", "3", "4"],
    "ok": ["true", "false", "", "true"],
    "name": ["x", "padded", "", "z"],
    "day": ["2024-05-31"] * 4,
}


def arrow_table():
    return pa.table(VALUES)


def polars_frame():
    return pytest.importorskip("polars").DataFrame(VALUES)


@pytest.mark.parametrize("make", [arrow_table, polars_frame, lambda: arrow_table().to_reader()])
def test_every_table_with_a_stream_is_read(make):
    table = read_arrow(make(), "mine")
    assert dict(table.columns) == CELLS
    assert (table.source, table.rows, list(table.lines)) == ("mine", 4, [1, 2, 3, 4])


def test_a_pandas_frame_is_read():
    pd = pytest.importorskip("pandas")
    table = read_arrow(pd.DataFrame({"a": [1.5, float("nan")], "k": pd.Categorical(["x", "y"])}))
    assert dict(table.columns) == {"a": ["1.5", ""], "k": ["x", "y"]}


def test_a_duckdb_relation_is_read():
    duckdb = pytest.importorskip("duckdb")
    found = read_arrow(duckdb.sql("select 1 as a, 'x' as b union all select 2, 'y' order by a"))
    assert dict(found.columns) == {"a": ["1", "2"], "b": ["x", "y"]}


@pytest.mark.parametrize(("name", "write"), [("t.parquet", pq.write_table), ("t.arrow", feather.write_feather)])
def test_files_are_read_by_their_name(tmp_path, name, write):
    write(arrow_table(), tmp_path / name)
    table = read_table(tmp_path / name)
    assert dict(table.columns) == CELLS
    assert len(table.sha256) == 64


def test_numbers_come_back_exactly(tmp_path):
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    path = tmp_path / "t.parquet"
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    pq.write_table(pa.table({"a": values, "h": halves}), path)
    table = read_parquet(path)
    np.testing.assert_array_equal(np.array([float(cell) for cell in table.columns["a"]]), values)
    np.testing.assert_array_equal(np.array([float(cell) for cell in table.columns["h"]]), halves.astype(np.float64))


def test_a_name_that_is_not_columnar_is_a_csv_file(tmp_path):
    (tmp_path / "t.txt").write_text("a\n1\n")
    assert read_table(tmp_path / "t.txt") == read_csv(tmp_path / "t.txt")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table at all"])
@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_a_damaged_file_is_a_data_error(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="read_arrow"):
        read_table(tmp_path / name)


def test_a_cut_file_is_a_data_error(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(arrow_table(), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="whole Parquet"):
        read_parquet(path)


def test_a_missing_file_is_an_io_error(tmp_path):
    with pytest.raises(IoError, match="must exist"):
        read_table(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda: pa.table({"a": [[1], [2]]}), "list<"),
        (lambda: pa.table({"a": pa.array([], pa.int64())}), "0 rows"),
        (lambda: pa.table([[1], [2]], names=["a", "a"]), "'a' twice"),
        (lambda: {"a": [1]}, "dict"),
    ],
)
def test_what_is_no_table_is_refused(make, got):
    with pytest.raises(DataError, match=got):
        read_arrow(make())


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(_arrow, "import_module", absent)
    with pytest.raises(DataError, match=r"pip install \"trainsmith\[arrow\]\""):
        read_arrow(arrow_table())
