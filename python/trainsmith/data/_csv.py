"""Reads a delimited text file into a table of text cells; every complaint names the line."""

import csv
import hashlib
import io
from itertools import islice
from os import PathLike
from pathlib import Path

from trainsmith.data._table import Table
from trainsmith.data._wording import counted, shown, worded
from trainsmith.errors import DataError, IoError

_OP = "read_csv"
_DELIMITERS = ",;\t|"
_SAMPLED_ROWS = 20
_ENCODINGS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_csv(path: str | PathLike[str]) -> Table:
    r"""Reads a CSV file with a header line.

    The delimiter (comma, semicolon, tab or `|`) is recognised; outside comma-separated files a number may have a
    decimal comma. Quoted cells may hold delimiters and line breaks, a byte order mark and any line ends are accepted,
    empty lines are skipped, and blanks around cells are removed.

    Args:
        path: the file, UTF-8 or UTF-16 with a byte order mark.

    Returns:
        All cells as text.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: the file is empty, not text, or its rows do not fit its header.

    Example:
        >>> import pathlib, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,b\n1,x\n")
        >>> dict(read_csv(path).columns)
        {'a': ['1'], 'b': ['x']}
        >>> folder.cleanup()
    """
    path = Path(path)
    raw = bytes_of(path, "a CSV file", _OP)
    text = _text(raw, path.name)
    delimiter = _delimiter(text)
    header, rows, lines = _records(text, delimiter, path.name)
    columns = _columns(header, rows, path.name)
    return Table(
        source=path.name,
        columns=columns,
        lines=lines,
        decimal="." if delimiter == "," else ",",
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def bytes_of(path: Path, kind: str, op: str) -> bytes:
    """Reads a file that must not be empty.

    Args:
        path: the file.
        kind: what it should be, for messages.
        op: who asks.

    Returns:
        Its bytes.

    Raises:
        IoError: the file is missing or cannot be read.
        DataError: the file is empty.

    Example:
        `read_csv` shows it.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise worded(
            IoError,
            op,
            "the data file must exist",
            expected=kind,
            got=shown(str(path)),
            step="check the path; data.path is relative to the configuration file",
        ) from None
    except OSError as error:
        raise worded(
            IoError,
            op,
            f"{shown(str(path))} must be readable",
            expected=kind,
            got=error.strerror or type(error).__name__,
            step="check the path and its permissions",
        ) from None
    if not raw.strip():
        raise worded(
            DataError,
            op,
            f"{path.name} must not be empty",
            expected="a header line and data rows",
            got=counted(len(raw), "byte"),
            step="check how the file was written",
        )
    return raw


def _text(raw: bytes, name: str) -> str:
    encoding = next((code for mark, code in _ENCODINGS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise worded(
            DataError,
            _OP,
            f"{name} must be UTF-8 text",
            expected="UTF-8",
            got=f"byte 0x{raw[error.start]:02x} on line {line}",
            step="save the file as UTF-8",
        ) from None
    if "\0" in text:
        raise worded(
            DataError,
            _OP,
            f"{name} must be text",
            expected="UTF-8 text",
            got="a zero byte",
            step="export the table as CSV",
        )
    return text


def _delimiter(text: str) -> str:
    """Picks the delimiter under which the first rows agree with the header, then the one with the most columns."""

    def score(delimiter: str) -> tuple[bool, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            widths = [len(record) for record in islice((record for record in reader if record), _SAMPLED_ROWS)]
        except csv.Error:
            return False, 0
        return len(set(widths)) == 1 and widths[0] > 1, max(widths, default=0)

    return max(_DELIMITERS, key=score)


def _records(text: str, delimiter: str, name: str) -> tuple[list[str], list[list[str]], list[int]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] | None = None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for record in reader:
            start, line = line, reader.line_num + 1
            if not record or (len(record) == 1 and not record[0].strip()):
                continue
            cells = [cell.strip() for cell in record]
            if header is None:
                header = cells
                continue
            if len(cells) != len(header):
                raise worded(
                    DataError,
                    _OP,
                    f"line {start} of {name} must have as many cells as the header",
                    expected=counted(len(header), "cell"),
                    got=str(len(cells)),
                    step="fix the line; a cell that holds the delimiter needs quotes",
                )
            rows.append(cells)
            lines.append(start)
    except csv.Error as error:
        raise worded(
            DataError,
            _OP,
            f"the record from line {line} of {name} on must be well-formed CSV",
            expected="closed quotes",
            got=str(error),
            step="fix the quotes on that line",
        ) from None
    if header is None or not rows:
        raise worded(
            DataError,
            _OP,
            f"{name} must hold data below its header",
            expected="at least 1 data row",
            got="none",
            step="check how the file was written",
        )
    return header, rows, lines


def _columns(header: list[str], rows: list[list[str]], name: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for position, title in enumerate(header):
        cells = [row[position] for row in rows]
        if not title:
            if any(cells):
                raise worded(
                    DataError,
                    _OP,
                    f"every column of {name} needs a name in the header",
                    expected="a name",
                    got=f"none for column {position + 1}",
                    step="name the column, or remove it if it only numbers the rows",
                )
            continue
        if title in columns:
            raise worded(
                DataError,
                _OP,
                f"column names of {name} must differ",
                expected="one column of each name",
                got=f"{shown(title)} again in column {position + 1}",
                step="rename or remove one of them",
            )
        columns[title] = cells
    return columns
