"""Batches in memory as a data iterator."""

import threading
from collections.abc import Iterable, Mapping
from typing import cast

from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co
from trainsmith.training._iteration import Iteration, cancellation, place_of


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
        self._lock = threading.Lock()
        self._go_to(0)

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch.

        Args:
            ctx: ends the iteration once it is done.

        Returns:
            Whether there is one.
        """
        with self._lock:
            if ctx is not None and ctx.done:
                self._ended, self._error = True, cancellation(ctx, "next")
            self._batch: Batch[T_co] | None = None
            if self._ended or self._given == len(self._batches):
                return False
            self._batch = self._batches[self._given]
            self._given += 1
            return True

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; None outside the batches."""
        return self._batch

    def error(self) -> Exception | None:
        """Returns the error of a cancelled `next`; otherwise None."""
        return self._error

    def close(self) -> None:
        """Ends the iteration until `reset`."""
        with self._lock:
            self._ended, self._batch = True, None

    def reset(self) -> None:
        """Goes back before the first batch, also after `close`."""
        with self._lock:
            self._go_to(0)

    def state_dict(self) -> dict[str, int]:
        """Returns the number of batches that were given."""
        return {"batches": self._given}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place; see `ResumableIterator.load_state_dict`."""
        (given,) = place_of(state, {"batches": len(self._batches)}, "data_iterator")
        with self._lock:
            self._go_to(given)

    def _go_to(self, given: int) -> None:
        self._given, self._batch, self._ended = given, None, False
        self._error: Exception | None = None
