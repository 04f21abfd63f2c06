"""Batches of arrays as a data iterator."""

import threading
from collections.abc import Callable, Mapping, Sequence

from trainsmith.data._gather import Order, RowSource, Source
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co
from trainsmith.training._iteration import Iteration, cancellation, place_of

_OP = "array_iterator"


class ArrayIterator(Iteration[T_co]):
    """Cuts arrays into batches, large ones gathered ahead; every method may be called from any thread.

    Args:
        names: of the inputs.
        sources: one array per input, then the targets, and the weights where rows have them; all of one length.
        batch_size: rows per batch.
        order: from an epoch to the order of its rows; None for their own.
        drop_last: whether to leave out a last batch with fewer rows.
        device: where the batches go.
        workers: threads that gather ahead; see `BatchConfig.num_workers`.

    Example:
        `ArrayDataProvider` makes them.
    """

    def __init__(
        self,
        names: Sequence[str],
        sources: Sequence[Source],
        *,
        batch_size: int,
        order: Callable[[int], Order] | None = None,
        drop_last: bool = False,
        device: str = "cpu",
        workers: int = 0,
    ) -> None:
        self._names = tuple(names)
        self._source = RowSource(sources, device=device, workers=workers)
        self._batch_size = batch_size
        self._order = order
        self._lock = threading.Lock()
        rows = self._source.rows
        self._rows = rows - rows % batch_size if drop_last else rows
        self._epoch = 0
        self._go_to(0)

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch; see `DataIterator.next`."""
        with self._lock:
            if ctx is not None and ctx.done:
                self._closed, self._error = True, cancellation(ctx, "next")
            self._batch: Batch[T_co] | None = None
            rows = None if self._closed else next(self._batches, None)
            if rows is None:
                return False
            inputs = len(self._names)
            self._batch = Batch(
                inputs=dict(zip(self._names, rows)),
                targets=rows[inputs],
                weights=rows[inputs + 1] if len(rows) > inputs + 1 else None,
            )
            self._start = min(self._start + self._batch_size, self._rows)
            return True

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; see `DataIterator.batch`."""
        return self._batch

    def error(self) -> Exception | None:
        """Returns the error of a cancelled `next`; otherwise None."""
        return self._error

    def close(self) -> None:
        """Ends the iteration until `reset`."""
        with self._lock:
            self._closed, self._batch, self._batches = True, None, iter(())

    def reset(self) -> None:
        """Begins the next epoch, in a new order where rows are shuffled; before the first batch it changes nothing."""
        with self._lock:
            self._epoch += self._start > 0
            self._go_to(0)

    def state_dict(self) -> dict[str, int]:
        """Returns the epoch and the rows that were given in it."""
        with self._lock:
            return {"epoch": self._epoch, "rows": self._start}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place; see `ResumableIterator.load_state_dict`."""
        epoch, rows = place_of(state, {"epoch": None, "rows": self._rows}, _OP)
        with self._lock:
            self._epoch = epoch
            self._go_to(rows)

    def _go_to(self, start: int) -> None:
        self._start = start
        self._batch = None
        self._closed = False
        self._error: Exception | None = None
        self._batches = self._source.batches(
            order=None if self._order is None else self._order(self._epoch),
            batch_size=self._batch_size,
            start=start,
            stop=self._rows,
        )
