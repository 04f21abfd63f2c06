"""What every data iterator of the package shares: Python's iterator and `with` protocols, and cancellation."""

from collections.abc import Mapping
from types import TracebackType
from typing import Generic, Self, SupportsIndex, cast

from trainsmith.data._wording import worded
from trainsmith.errors import CancelledError, DataError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co


class Iteration(Generic[T_co]):
    """Base of data iterators; subclasses give the methods of `ResumableIterator`."""

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

    def state_dict(self) -> dict[str, int]:
        """Returns the place; see `ResumableIterator.state_dict`."""
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place; see `ResumableIterator.load_state_dict`."""
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


def place_of(state: Mapping[str, int], limits: Mapping[str, int | None], op: str) -> tuple[int, ...]:
    """Reads the place of an iterator.

    Args:
        state: what `state_dict` returned.
        limits: by entry, the largest number that is a place; None for no limit.
        op: the iterator.

    Returns:
        The entries in the order of `limits`.

    Raises:
        DataError: an entry is missing or out of range.

    Example:
        >>> place_of({"epoch": 2, "rows": 8}, {"epoch": None, "rows": 10}, "iterator")
        (2, 8)
    """
    for name, limit in limits.items():
        value = cast(object, state.get(name))
        place = int(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else -1
        if place < 0 or (limit is not None and place > limit):
            raise worded(
                DataError,
                op,
                f"{name} of the state must be a place of this iterator",
                expected="a whole number of at least 0" + ("" if limit is None else f" and at most {limit}"),
                got="nothing" if value is None else repr(value),
                step="load a state of an iterator over the same data with the same settings",
            )
    return tuple(int(state[name]) for name in limits)
