"""A line per epoch with the best values marked."""

from collections.abc import Iterable

from trainsmith.callbacks._table import number_text
from trainsmith.training import EpochRecord

_WIDTH = 10
# Of these the smaller is better; of every other metric the larger.
_SMALLER = {"training_loss", "validation_loss", "mae", "mse", "rmse", "log_loss", "pinball", "quantile"}
_PLAIN = ("epoch", "learning_rate")


class EpochLines:
    r"""Writes the lines of a table that grows: fixed widths, the header before the first line, a star at a best value.

    Args:
        history: epochs before the first line, whose values count.

    Example:
        >>> lines = EpochLines([])
        >>> print("\n".join(lines.lines(EpochRecord(epoch=1, learning_rate=0.1, training_loss=0.5))))
             epoch  learning_rate  training_loss
                 1         0.1000        0.5000*
        >>> print("\n".join(lines.lines(EpochRecord(epoch=2, learning_rate=0.1, training_loss=0.6))))
                 2         0.1000        0.6000
    """

    def __init__(self, history: Iterable[EpochRecord]) -> None:
        self._best: dict[str, float] = {}
        self._header: tuple[str, ...] = ()
        for record in history:
            self._marked(record)

    def lines(self, record: EpochRecord) -> list[str]:
        """Returns the next line, with the header before the first and where the columns change.

        Args:
            record: the epoch.

        Returns:
            One or two lines.
        """
        cells = self._marked(record)
        header = tuple(cells)
        rows = [list(cells.values())]
        if header != self._header:
            self._header = header
            rows.insert(0, list(header))
        widths = [max(_WIDTH, len(title)) for title in header]
        # A column for the star, so that numbers stand below each other.
        return [
            "  ".join(
                (cell if cell.endswith("*") or row is not rows[-1] or title in _PLAIN else f"{cell} ").rjust(width)
                for title, cell, width in zip(header, row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]

    def _marked(self, record: EpochRecord) -> dict[str, str]:
        values: dict[str, float | None] = {"training_loss": record.training_loss}
        if record.validation_loss is not None:
            values["validation_loss"] = record.validation_loss
        values |= record.validation_metrics
        cells = {"epoch": str(record.epoch), "learning_rate": number_text(record.learning_rate)}
        for name, value in values.items():
            best = self._best.get(name)
            better = value is not None and (best is None or (value < best if name in _SMALLER else value > best))
            if better and value is not None:
                self._best[name] = value
            cells[name] = number_text(value) + ("*" if better else "")
        return cells
