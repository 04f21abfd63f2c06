"""What every data iterator of the package shares: Python's iterator and `with` protocols, and cancellation."""

from types import TracebackType
from typing import Generic, Self

from trainsmith.errors import CancelledError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co


class Iteration(Generic[T_co]):
    """Base of data iterators; subclasses give the five methods of `DataIterator`."""

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch; see `DataIterator.next`."""
        raise NotImplementedError

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; see `DataIterator.batch`."""
        raise NotImplementedError

    def error(self) -> Exception | None:
        """Returns what ended the iteration early; see `DataIterator.error`."""
        raise NotImplementedError

    def close(self) -> None:
        """Releases what the iterator holds; see `DataIterator.close`."""
        raise NotImplementedError

    def reset(self) -> None:
        """Goes back before the first batch; see `DataIterator.reset`."""
        raise NotImplementedError

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch[T_co]:
        """Returns the next batch.

        Raises:
            StopIteration: at the natural end.
            Exception: what `error` returns, where something ended the iteration early.
        """
        if self.next():
            batch = self.batch()
            assert batch is not None, "next() was True"
            return batch
        error = self.error()
        if error is not None:
            raise error
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def cancellation(ctx: RunContext | None, op: str) -> CancelledError | None:
    """Returns the error of a context that is done.

    Args:
        ctx: the context, or None.
        op: the operation that asks.

    Returns:
        The error, not raised; None while the work may go on.

    Example:
        >>> cancellation(RunContext(), "next") is None
        True
    """
    if ctx is None or not ctx.done:
        return None
    try:
        ctx.raise_if_done(op)
    except CancelledError as error:
        return error
    return None
