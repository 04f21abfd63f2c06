"""Batches that a callback loads chunk by chunk, the next chunk while the current one is used."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from trainsmith.data._wording import shown, worded
from trainsmith.errors import CancelledError, ChunkError, ConfigError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._element import T, T_co
from trainsmith.training._iteration import Iteration, cancellation, place_of

ChunkLoader = Callable[[int], Sequence[Batch[T]] | None]
"""Takes a chunk's index, from 0, and returns its batches, or None after the last chunk."""

_OP = "chunked_data_iterator"
_SLICE = 0.05


class ChunkedDataIterator(Iteration[T_co]):
    """Calls a loader with rising chunk indices and gives the batches; every method may be called from any thread.

    A loader that returns None ends the iteration; an empty chunk is skipped. With `prefetch` the next chunk is loaded
    in a background thread while the current one is used, so two chunks are in memory; without, the old chunk is
    released before the next is loaded. Calls of the loader never overlap.

    Args:
        loader: the callback.
        prefetch: whether to load one chunk ahead.
        max_empty_chunks: empty chunks in a row after which the iteration fails, at least 1.

    Raises:
        ConfigError: the loader cannot be called, or the bound is below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.training import Batch
        >>> def load(chunk):
        ...     return [Batch(inputs={"x": ts.zeros(1)}, targets=ts.zeros(1))] * 2 if chunk < 3 else None
        >>> with ChunkedDataIterator(load) as iterator:
        ...     len(list(iterator))
        6
    """

    def __init__(self, loader: ChunkLoader[Any], *, prefetch: bool = True, max_empty_chunks: int = 1000) -> None:
        if not callable(loader) or max_empty_chunks < 1:
            raise worded(
                ConfigError,
                _OP,
                "the iterator needs a loader and a bound on empty chunks",
                expected="a function of the chunk's index, and max_empty_chunks of at least 1",
                got=f"{shown(loader)} and {max_empty_chunks}",
                step="pass both",
            )
        self._loader = loader
        self._prefetch = prefetch
        self._max_empty = max_empty_chunks
        self._lock = threading.RLock()
        self._ahead: _Load | None = None
        self._go_to(0, 0)

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch, and loads chunks until one has a batch.

        Args:
            ctx: ends the iteration once it is done, also while a background load runs.

        Returns:
            Whether there is one. After False, `error` returns a `ChunkError` with the chunk's index where the loader
            failed, and a `CancelledError` where the context was done.
        """
        with self._lock:
            if self._exhausted:
                return False
            try:
                stopped = cancellation(ctx, _OP)
                if stopped is not None:
                    raise stopped
                if self._place + 1 < len(self._chunk):
                    self._give(self._place + 1)
                    return True
                return self._advance(ctx)
            except (ChunkError, CancelledError) as error:
                self._end(error)
                return False

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; None before the first `next` and once the iteration has ended."""
        with self._lock:
            return self._chunk[self._place] if 0 <= self._place < len(self._chunk) else None

    def error(self) -> Exception | None:
        """Returns what ended the iteration early; `close` keeps it, `reset` forgets it."""
        return self._error

    def close(self) -> None:
        """Drops the chunks and ends the iteration; it does not wait for a background load."""
        with self._lock:
            self._end(self._error)
            if self._ahead is not None:
                self._ahead.forget()

    def reset(self) -> None:
        """Starts again from chunk 0, also after `close` or an error."""
        with self._lock:
            self._go_to(0, 0)

    def state_dict(self) -> dict[str, int]:
        """Returns the current chunk's index and the number of its batches that were given."""
        with self._lock:
            return dict(self._given)

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place; see `ResumableIterator.load_state_dict`. The loader is called first for that chunk."""
        chunk, batches = place_of(state, {"chunk": None, "batches": None}, _OP)
        with self._lock:
            self._go_to(chunk, batches)

    def _go_to(self, chunk: int, batches: int) -> None:
        if self._ahead is not None:
            self._ahead.forget()
        self._chunk: Sequence[Batch[T_co]] = ()
        self._place = -1
        self._index = chunk
        self._given = {"chunk": chunk, "batches": batches}
        self._skipped = batches
        self._exhausted = False
        self._error: Exception | None = None

    def _give(self, place: int) -> None:
        self._place = place
        self._given = {"chunk": self._index - 1, "batches": place + 1}

    def _end(self, error: Exception | None) -> None:
        self._chunk, self._place, self._exhausted, self._error = (), -1, True, error

    def _advance(self, ctx: RunContext | None) -> bool:
        """Loads chunks until one has a batch or the loader says that there are no more."""
        self._chunk, self._place = (), -1
        for _ in range(self._max_empty + bool(self._skipped)):
            chunk = self._checked(self._loaded(ctx))
            skipped, self._skipped = self._skipped, 0
            if skipped > len(chunk or ()):
                raise self._failed(
                    "a chunk must have the batches of the loaded state", f"{len(chunk or ())} of at least {skipped}"
                )
            if chunk is None:
                self._end(None)
                return False
            self._index += 1
            if len(chunk) > skipped:
                self._chunk = chunk
                self._give(skipped)
                if self._prefetch:
                    self._ahead = _Load(self._loader, self._index)
                return True
        raise self._failed(
            "there must be a batch after a bounded number of empty chunks", f"{self._max_empty} empty chunks"
        )

    def _loaded(self, ctx: RunContext | None) -> object:
        """Returns what the loader gives for the current index, from the background where it was loaded ahead."""
        stopped = cancellation(ctx, _OP)
        if stopped is not None:
            raise stopped
        ahead = self._ahead
        if ahead is not None:
            # A load that a reset left behind is waited for as well, so that calls of the loader never overlap.
            while not ahead.finished.wait(_SLICE):
                stopped = cancellation(ctx, _OP)
                if stopped is not None:
                    raise stopped
            self._ahead = None
        if ahead is None or ahead.index != self._index or ahead.stale:
            ahead = _Load(self._loader, self._index, background=False)
        if ahead.error is not None:
            raise self._failed(
                "the loader must return batches", str(ahead.error) or type(ahead.error).__name__
            ) from ahead.error
        return ahead.chunk

    def _checked(self, chunk: object) -> Sequence[Batch[T_co]] | None:
        if chunk is None:
            return None
        if not isinstance(chunk, Sequence):
            raise self._failed("the loader must return a list of batches, or None at the end", shown(chunk))
        for place, batch in enumerate(cast(Sequence[object], chunk)):
            if not isinstance(batch, Batch):
                raise self._failed("every entry of a chunk must be a batch", f"{shown(batch)} at index {place}")
        return cast(Sequence[Batch[T_co]], chunk)

    def _failed(self, rule: str, got: str) -> ChunkError:
        return ChunkError(
            f"{_OP}: {rule}; expected a list of batches, got {got} for chunk {self._index}; check the loader",
            op=_OP,
            expected="a list of batches",
            got=got,
            chunk=self._index,
        )


class _Load:
    """One call of a loader, in the background unless it is wanted at once."""

    def __init__(self, loader: ChunkLoader[Any], index: int, *, background: bool = True) -> None:
        self.index = index
        self.stale = False
        self.chunk: object = None
        self.error: Exception | None = None
        self.finished = threading.Event()
        if background:
            threading.Thread(target=self._run, args=(loader,), name=f"chunk-{index}", daemon=True).start()
        else:
            self._run(loader)

    def forget(self) -> None:
        """Drops what was or will be loaded."""
        self.stale = True
        self.chunk = None

    def _run(self, loader: ChunkLoader[Any]) -> None:
        try:
            chunk = loader(self.index)
            if not self.stale:
                self.chunk = chunk
        except Exception as error:
            self.error = error
        finally:
            self.finished.set()
