"""Cuts arrays into batches of tensors."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, DTypeError, ShapeError

_OP = "batches"


def batches(
    *arrays: npt.ArrayLike | Tensor,
    batch_size: int,
    shuffle: bool = False,
    seed: int | Sequence[int] | None = None,
    drop_last: bool = False,
) -> Iterator[tuple[Tensor, ...]]:
    """Yields the rows of some arrays in batches.

    Args:
        arrays: NumPy arrays or tensors of one length n along their first axis; row i of each belongs together. Dtypes
            are kept. Tensors stay on their device.
        batch_size: rows per batch, at least 1.
        shuffle: whether to draw a new order of the rows; otherwise they come in order.
        seed: of that order, non-negative, or several numbers that together are the seed; None draws a different order
            each time.
        drop_last: whether to leave out a last batch that has fewer than `batch_size` rows.

    Returns:
        An iterator of tuples with one tensor per array, shape (rows, ...), rows <= batch_size.

    Raises:
        ConfigError: `batch_size` below 1.
        ShapeError: no array, one without axes, or arrays of different lengths.
        DTypeError: an array of objects or text.

    Example:
        >>> import numpy as np
        >>> from trainsmith.data import batches
        >>> [np.asarray(x).tolist() for (x,) in batches(np.arange(5), batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """
    if isinstance(batch_size, bool) or batch_size < 1:
        raise worded(
            ConfigError,
            _OP,
            "batch_size must be positive",
            expected="at least 1",
            got=repr(batch_size),
            step="pass the number of rows per batch",
        )
    sources = [array if isinstance(array, Tensor) else np.asarray(array) for array in arrays]
    rows = _common_length(sources)
    order = np.random.default_rng(seed).permutation(rows) if shuffle else None
    end = rows - rows % batch_size if drop_last else rows
    return _cut(sources, order, range(0, end, batch_size), batch_size, end)


def _cut(
    sources: Sequence[npt.NDArray[np.generic] | Tensor],
    order: npt.NDArray[np.int64] | None,
    starts: range,
    batch_size: int,
    end: int,
) -> Iterator[tuple[Tensor, ...]]:
    for start in starts:
        stop = min(start + batch_size, end)
        chosen = slice(start, stop) if order is None else order[start:stop]
        yield tuple(_rows(source, chosen) for source in sources)


def _rows(source: npt.NDArray[np.generic] | Tensor, chosen: slice | npt.NDArray[np.int64]) -> Tensor:
    if not isinstance(source, Tensor):
        return ts.asarray(source[chosen])
    if isinstance(chosen, slice):
        return source[chosen]
    return ts.take(source, ts.asarray(chosen, device=source.device), axis=0)


def _common_length(sources: Sequence[npt.NDArray[np.generic] | Tensor]) -> int:
    for source in sources:
        if isinstance(source, np.ndarray) and source.dtype.kind in "OSUmMV":
            raise worded(
                DTypeError,
                _OP,
                "arrays must hold numbers",
                expected="a numeric or bool dtype",
                got=str(source.dtype),
                step="convert the array first",
            )
    shapes = [tuple(source.shape) for source in sources]
    if not shapes or any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise worded(
            ShapeError,
            _OP,
            "arrays must have the same number of rows",
            expected="one or more arrays of shape (n, ...)",
            got=", ".join(map(str, shapes)) or "no array",
            step="pass arrays of equal length",
        )
    return shapes[0][0]
