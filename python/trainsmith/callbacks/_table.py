"""Lines and tables of numbers on the terminal."""

from collections.abc import Sequence

Cell = str | float | int | None


def number_text(value: Cell) -> str:
    """Writes a number with four to five digits.

    Args:
        value: a number, a text, or None for a value that does not exist.

    Returns:
        The text; `-` for None.

    Example:
        >>> number_text(0.123456), number_text(1234567.0), number_text(None), number_text(3)
        ('0.1235', '1.235e+06', '-', '3')
    """
    if value is None:
        return "-"
    if isinstance(value, str | int):
        return str(value)
    return f"{value:.4f}" if not value or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def table_lines(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Aligns a small table: the first column to the left, the others to the right.

    Args:
        header: the columns' titles.
        rows: the cells.

    Returns:
        One line per row, the header first.

    Example:
        >>> table_lines(["part", "loss"], [["test", 0.5]])
        ['part    loss', 'test  0.5000']
    """
    texts = [list(header), *([number_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in texts
    ]


class EpochTable:
    r"""Writes the lines of a table that grows: fixed widths, the header before the first line.

    Args:
        header: the columns' titles; each column is at least 10 characters wide.

    Example:
        >>> table = EpochTable(["epoch", "loss"])
        >>> print("\n".join(table.lines([1, 0.25])))
             epoch        loss
                 1      0.2500
    """

    def __init__(self, header: Sequence[str]) -> None:
        self._header: list[str] | None = list(header)
        self._widths = [max(10, len(title)) for title in header]

    def lines(self, cells: Sequence[Cell]) -> list[str]:
        """Returns the next line, with the header before the first.

        Args:
            cells: one per column.

        Returns:
            One or two lines.
        """
        rows = [[number_text(cell) for cell in cells]]
        if self._header is not None:
            rows.insert(0, self._header)
            self._header = None
        return ["  ".join(cell.rjust(width) for cell, width in zip(row, self._widths, strict=True)) for row in rows]
