import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.data.tabular import read_csv
from trainsmith.errors import DataError, IoError


@pytest.fixture
def read(tmp_path):
    def read_text(content: str | bytes):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_csv(path)

    return read_text


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        "a,b\n1,x\n2,y",
        "\ufeffa,b\n1,x\n2,y\n",
        "\n\na,b\n\n1,x\n2,y\n\n",
        ' a , b \n 1 , x \n2, "y"\n',
        '"a","b"\n"1","x"\n"2","y"\n',
        "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n",
        "a|b\n1|x\n2|y\n",
        "a,b,\n1,x,\n2,y,\n",
        "a,b\n1,x\n2,y\n".encode("utf-16"),
    ],
)
def test_equal_tables_in_different_forms(read, content):
    assert dict(read(content).columns) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(read):
    table = read('a,b\n"1,5","say ""hi"""\n"two\nlines",x\nlast,y\n')
    assert dict(table.columns) == {"a": ["1,5", "two\nlines", "last"], "b": ['say "hi"', "x", "y"]}
    assert list(table.lines) == [2, 3, 5]


def test_delimiter_is_the_one_that_header_and_rows_agree_on(read):
    assert list(read("a;b\n1,5;2,5\n").columns) == ["a", "b"]
    assert read("a;b\n1,5;2,5\n").decimal == ","
    assert list(read("a,b\nx;y,1\nz;w,2\n").columns) == ["a", "b"]
    assert read("a,b\n1,2\n").decimal == "."


def test_characters_that_only_look_like_line_ends_stay_in_their_cell(read):
    assert dict(read("a,b\nx\u2028y,1\n").columns) == {"a": ["x\u2028y"], "b": ["1"]}


def test_hash_is_of_the_bytes(read):
    content = b"\xef\xbb\xbfa\n1\n"
    assert read(content).sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "must not be empty"),
        ("\n \n", "must not be empty"),
        ("\ufeff", "must hold data"),
        ("a,b\n", "at least 1 data row"),
        ("a,b\n1,2\n3\n", "line 3 of t.csv must have as many cells as the header; expected 2 cells, got 1"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4 of t.csv"),
        ("a,a\n1,2\n", "'a' again in column 2"),
        (",a\n1,2\n", "none for column 1"),
        ('a,b\n1,"x\n2,y\n', "from line 2"),
        (b"a\n\xff\n", "byte 0xff on line 2"),
        (b"PK\x03\x04\0\0", "zero byte"),
    ],
)
def test_a_broken_file_is_one_line_that_names_the_place(read, content, expected):
    with pytest.raises(DataError) as caught:
        read(content)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.op == "read_csv"


def test_a_missing_file_is_an_io_error(tmp_path):
    with pytest.raises(IoError, match="must exist"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(IoError, match="must be readable"):
        read_csv(tmp_path)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=("Cs",)), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    columns = read_csv(path).columns
    assert list(zip(columns["a"], columns["b"])) == [(a.strip(), b.strip()) for a, b in rows]
