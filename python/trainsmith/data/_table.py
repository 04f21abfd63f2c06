"""A table of text cells with named columns, as it stands in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainsmith.data._nearest import nearest
from trainsmith.data._wording import worded
from trainsmith.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Named columns of text cells, all of one length, and where each row came from.

    Args:
        source: the file's name, for messages.
        columns: column name to cells, in the file's order; cells are stripped of surrounding blanks.
        lines: the line of the file on which each row starts, counted from 1; the row itself where a file has no lines.
        decimal: the decimal mark of numbers, `.` or `,`.
        sha256: the hash of the file's bytes.

    Example:
        >>> table = Table(source="memory", columns={"a": ["1", "2"]}, lines=[2, 3])
        >>> table.rows, list(table.columns)
        (2, ['a'])
    """

    source: str
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    decimal: str = "."
    sha256: str = ""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.lines)

    def column(self, name: str, role: str) -> Sequence[str]:
        """Returns the cells of one column.

        Args:
            name: the column's name.
            role: who asks for it, such as `data.target`; part of the error message.

        Returns:
            The cells, one per row.

        Raises:
            DataError: no column has that name.

        Example:
            >>> Table(source="memory", columns={"a": ["1"]}, lines=[2]).column("a", "data.target")
            ['1']
        """
        if name not in self.columns:
            raise worded(
                DataError,
                "table",
                f"{role} must name a column of {self.source}",
                expected="one of its columns",
                got=repr(name),
                step=nearest(name, self.columns),
            )
        return self.columns[name]

    def take(self, rows: npt.NDArray[np.int64]) -> "Table":
        """Returns a table with the given rows only.

        Args:
            rows: row numbers, counted from 0, shape (k,).

        Returns:
            A table of k rows that keeps names, lines and hash.

        Example:
            >>> import numpy as np
            >>> table = Table(source="memory", columns={"a": ["1", "2"]}, lines=[2, 3])
            >>> table.take(np.array([1])).columns
            {'a': ['2']}
        """
        kept: list[int] = rows.tolist()
        return Table(
            source=self.source,
            columns={name: [cells[row] for row in kept] for name, cells in self.columns.items()},
            lines=[self.lines[row] for row in kept],
            decimal=self.decimal,
            sha256=self.sha256,
        )
