"""Batches in memory as a data iterator."""

import threading
from collections.abc import Iterable
from typing import cast

from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co
from trainsmith.training._iteration import Iteration, cancellation


class DataIteratorAdapter(Iteration[T_co]):
    """Gives some batches in their order; every method may be called from any thread.

    Args:
        batches: the batches; the list is copied, the batches are not.

    Raises:
        DataError: an entry is no batch.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.training import Batch
        >>> batches = [Batch(inputs={"x": ts.zeros(n)}, targets=ts.zeros(n)) for n in (2, 1)]
        >>> with DataIteratorAdapter(batches) as iterator:
        ...     [batch.rows for batch in iterator]
        [2, 1]
    """

    def __init__(self, batches: Iterable[Batch[T_co]]) -> None:
        self._batches = tuple(batches)
        for index, batch in enumerate(cast(tuple[object, ...], self._batches)):
            if not isinstance(batch, Batch):
                raise worded(
                    DataError,
                    "data_iterator",
                    "every entry must be a batch",
                    expected="a Batch",
                    got=f"{shown(batch)} at index {index}",
                    step="leave it out",
                )
        self._index = -1
        self._closed = False
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch.

        Args:
            ctx: ends the iteration once it is done.

        Returns:
            Whether there is one.
        """
        with self._lock:
            stopped = cancellation(ctx, "next")
            if stopped is not None:
                self._index, self._error = len(self._batches), stopped
            if self._index < len(self._batches):
                self._index += 1
            return not self._closed and self._index < len(self._batches)

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; None outside the batches."""
        with self._lock:
            inside = not self._closed and 0 <= self._index < len(self._batches)
            return self._batches[self._index] if inside else None

    def error(self) -> Exception | None:
        """Returns the error of a cancelled `next`; otherwise None."""
        return self._error

    def close(self) -> None:
        """Ends the iteration until `reset`."""
        with self._lock:
            self._closed = True

    def reset(self) -> None:
        """Goes back before the first batch, also after `close`."""
        with self._lock:
            self._index, self._closed, self._error = -1, False, None
