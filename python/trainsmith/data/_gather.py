"""Batches of rows: gathered by the core where the arrays allow it, and with NumPy otherwise."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith._core import Gather, Tensor
from trainsmith.data._permutation import Permutation

Source = npt.NDArray[Any] | Tensor
# A tensor of the memory, and where the rows are part of a larger array, their shape, distance and first place.
_Memory = tuple[Tensor, tuple[Sequence[int], int, int] | None]

_BLOCK = 1 << 15


class Order(Protocol):
    """Which row stands at a position, computed where it is asked."""

    def __len__(self) -> int: ...

    def at(self, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Returns the rows at some positions.

        Args:
            positions: integers from 0 to the length - 1, any shape.

        Returns:
            int64 of the same shape.
        """
        ...


class RowSource:
    """Arrays that are cut into batches, once or for every epoch anew.

    Batches are gathered by the core where every row lies whole in host memory: in contiguous arrays, in some columns of
    one, and in windows over its rows.

    Args:
        sources: arrays of one length; they must not change while batches are taken.
        device: where the batches of NumPy arrays go; those of tensors stay where the tensors are.
        workers: threads of the core that gather ahead; with 0 their order and size decide whether there is one.

    Example:
        >>> import numpy as np
        >>> source = RowSource([np.arange(5)])
        >>> [x.tolist() for (x,) in source.batches(order=None, batch_size=2, start=1, stop=4)]
        [[1, 2], [3]]
    """

    def __init__(self, sources: Sequence[Source], *, device: str = "cpu", workers: int = 0) -> None:
        self.rows = int(sources[0].shape[0])
        self._sources = sources
        self._device = device
        self._workers = workers

    def batches(self, *, order: Order | None, batch_size: int, start: int, stop: int) -> Iterator[tuple[Tensor, ...]]:
        """Starts a pass over some positions.

        Args:
            order: of the rows; None for their own.
            batch_size: rows per batch.
            start: the first position.
            stop: the position after the last.

        Returns:
            An iterator of one tensor per source.
        """
        sources, device = self._sources, self._device
        if start >= stop or self._memory is None:
            return plain_batches(sources, order=order, batch_size=batch_size, start=start, stop=stop, device=device)
        span, workers = (start, stop), self._workers
        if isinstance(order, Permutation):
            return Gather(self._memory, batch_size, span, device, keys=order.keys, workers=workers)
        listed = None if order is None else order.at(np.arange(stop, dtype=np.int64))
        return Gather(self._memory, batch_size, span, device, listed=listed, workers=workers)

    @cached_property
    def _memory(self) -> list[_Memory] | None:
        """Where the rows of each source lie; None where one of them is not for the core."""
        found = [_in_memory(source, self._device) for source in self._sources]
        whole = [one for one in found if one is not None]
        return whole if len(whole) == len(found) else None


def plain_batches(
    sources: Sequence[Source], *, order: Order | None, batch_size: int, start: int, stop: int, device: str = "cpu"
) -> Iterator[tuple[Tensor, ...]]:
    """Gives the batches of `RowSource` without the core, from any arrays and tensors.

    Args:
        sources: arrays of one length.
        order: of the rows; None for their own.
        batch_size: rows per batch.
        start: the first position.
        stop: the position after the last.
        device: where the batches of NumPy arrays go.

    Yields:
        One tensor per source.

    Example:
        >>> import numpy as np
        >>> [x.tolist() for (x,) in plain_batches([np.arange(3)], order=None, batch_size=2, start=0, stop=3)]
        [[0, 1], [2]]
    """
    first, block = start, np.zeros(0, np.int64)
    for low in range(start, stop, batch_size):
        high = min(low + batch_size, stop)
        if order is None:
            yield tuple(_rows(source, slice(low, high), device) for source in sources)
            continue
        if high > first + block.size:
            first, block = low, order.at(np.arange(low, min(stop, max(high, low + _BLOCK)), dtype=np.int64))
        yield tuple(_rows(source, block[low - first : high - first], device) for source in sources)


def _rows(source: Source, chosen: slice | npt.NDArray[np.int64], device: str) -> Tensor:
    if not isinstance(source, Tensor):
        return ts.asarray(source[chosen], device=device)
    if isinstance(chosen, slice):
        return source[chosen]
    return ts.take(source, ts.asarray(chosen, device=source.device), axis=0)


def _in_memory(source: Source, device: str) -> _Memory | None:
    """Finds the memory of a source: a tensor of it, and where the rows are part of a larger array, their places."""
    if isinstance(source, Tensor):
        return (source, None) if source.device == device == "cpu" else None
    if not source.flags.aligned or not source.dtype.isnative:
        return None
    if source.flags.c_contiguous:
        return ts.asarray(source, copy=False), None
    root = _root(source)
    size = source.itemsize
    if root is None or not source[:1].flags.c_contiguous or source.strides[0] < 0 or source.strides[0] % size:
        return None
    offset = source.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return ts.asarray(root, copy=False), (source.shape, source.strides[0] // size, offset // size)


def _root(view: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Returns the contiguous array whose memory a view shows, if it is one of the same dtype."""
    base = cast(object, view)
    found: npt.NDArray[Any] | None = None
    while base is not None:
        # Views made from strides have a helper of NumPy between them and their array.
        base = cast(object, getattr(base, "base", None))
        if isinstance(base, np.ndarray):
            found = cast(npt.NDArray[Any], base)
    return found if found is not None and found.flags.c_contiguous and found.dtype == view.dtype else None
