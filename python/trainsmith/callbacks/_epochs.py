"""A line per epoch with the best values marked."""

from collections.abc import Iterable

from trainsmith.callbacks._table import number_text
from trainsmith.training import EpochRecord

_WIDTH = 10
# Of these the smaller is better; of every other metric the larger.
_SMALLER = {"training_loss", "validation_loss", "mae", "mse", "rmse", "log_loss", "pinball", "quantile"}


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
        self._titles: list[str] = []
        self._widths: list[int] = []
        for record in history:
            self._cells(record)

    def lines(self, record: EpochRecord) -> list[str]:
        """Returns the next line, with the header before the first and where the columns change.

        Args:
            record: the epoch.

        Returns:
            One or two lines.
        """
        cells = self._cells(record)
        titles = list(cells)
        if titles == self._titles:
            return [self._line(cells.values())]
        self._titles, self._widths = titles, [max(_WIDTH, len(title)) for title in titles]
        return [self._line(titles), self._line(cells.values())]

    def _line(self, cells: Iterable[str]) -> str:
        return "  ".join(map(str.rjust, cells, self._widths)).rstrip()

    def _cells(self, record: EpochRecord) -> dict[str, str]:
        cells = {"epoch": str(record.epoch), "learning_rate": number_text(record.learning_rate)}
        cells["training_loss"] = self._marked("training_loss", record.training_loss)
        if record.validation_loss is not None:
            cells["validation_loss"] = self._marked("validation_loss", record.validation_loss)
        for name, value in record.validation_metrics.items():
            cells[name] = self._marked(name, value)
        return cells

    def _marked(self, name: str, value: float | None) -> str:
        """Writes a value; others have a space where the best so far has its star, so that digits are aligned."""
        if value is not None:
            best = self._best.get(name)
            if best is None or (value < best if name in _SMALLER else value > best):
                self._best[name] = value
                return number_text(value) + "*"
        return number_text(value) + " "
