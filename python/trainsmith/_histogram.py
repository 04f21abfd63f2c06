"""Counting elements by the interval they fall into."""

from collections.abc import Sequence
from typing import NamedTuple

from trainsmith._arrays import asarray
from trainsmith._conversion import astype
from trainsmith._core import Tensor
from trainsmith._creation import arange
from trainsmith._cumulative import cumulative_sum
from trainsmith._dtypes import float32, float64
from trainsmith._joining import concat
from trainsmith._logic import where
from trainsmith._manipulation import reshape
from trainsmith._picking import take
from trainsmith._problem import problem
from trainsmith._reduction import max, min, sum
from trainsmith._sorting import argsort, searchsorted
from trainsmith._typing import Operand
from trainsmith.errors import ArgumentError, ShapeError


class Histogram(NamedTuple):
    """How many elements fall into each interval, and where the intervals meet."""

    counts: Tensor
    edges: Tensor


def histogram(
    x: Operand,
    /,
    bins: int | Sequence[float] | Tensor = 10,
    *,
    range: tuple[float, float] | None = None,
    weights: Operand | None = None,
    density: bool = False,
) -> Histogram:
    """Counts the elements of a tensor by interval.

    Interval i holds e_i <= v < e_{i+1}; the last one also its right edge. Elements outside, and NaN, are not counted.

    Args:
        x: any shape; its elements are taken as one line.
        bins: the number of intervals of equal width, at least 1, or all edges, rising.
        range: first and last edge where `bins` is a number; by default the least and the largest element, and
            [v - 1/2, v + 1/2] where all are equal v.
        weights: what each element counts, shape of `x`; 1 by default.
        density: whether to divide by the sum and by the width, so that the integral is 1.

    Returns:
        `counts` of shape (n,): int64, or floating with weights or density; and `edges` of shape (n + 1,), floating.

    Raises:
        ArgumentError: less than one interval, or a range that does not rise.
        ShapeError: edges that are not one line of at least two, weights of another shape, or no elements and no range.

    Example:
        >>> import trainsmith as ts
        >>> counts, edges = ts.histogram(ts.asarray([0.0, 1.0, 1.5, 4.0]), bins=4)
        >>> counts.tolist(), edges.tolist()
        ([1, 2, 0, 1], [0.0, 1.0, 2.0, 3.0, 4.0])
    """
    given = asarray(x)
    line = reshape(given, (-1,)).detach()
    edges = _edges(line, bins, range)
    order = argsort(line)
    line = take(line, order)
    inner = searchsorted(line, edges[:-1], side="left")
    places = concat((inner, searchsorted(line, edges[-1:], side="right")))
    if weights is None:
        counts = places[1:] - places[:-1]
    else:
        worth = asarray(weights, device=given.device)
        if worth.shape != given.shape:
            raise problem(ShapeError, "histogram", f"weights of the shape of x, {given.shape}", str(worth.shape))
        kept = worth.dtype if worth.dtype.is_floating else float32
        # In float64, so that intervals without elements come out as 0 but for its rounding.
        total = cumulative_sum(take(reshape(worth, (-1,)), order), dtype=float64, include_initial=True)
        total = take(total, places)
        counts = astype(total[1:] - total[:-1], kept)
    if density:
        counts = counts / sum(counts) / (edges[1:] - edges[:-1])
    return Histogram(counts, edges)


def _edges(line: Tensor, bins: int | Sequence[float] | Tensor, range: tuple[float, float] | None) -> Tensor:
    dtype = line.dtype if line.dtype.is_floating else float32
    if not isinstance(bins, int):
        edges = bins if isinstance(bins, Tensor) else asarray(bins, dtype=dtype, device=line.device)
        if edges.ndim != 1 or edges.shape[0] < 2:
            raise problem(ShapeError, "histogram", "one line of at least two edges", str(edges.shape))
        return edges.detach()
    if bins < 1:
        raise problem(ArgumentError, "histogram", "at least one interval", str(bins))
    if range is None and not line.size:
        raise problem(ShapeError, "histogram", "elements, or a range", str(line.shape))
    if range is None:
        low, high = (astype(end(line), dtype) for end in (min, max))
        margin = where(low == high, 0.5, 0.0)
        low, high = low - margin, high + margin
    else:
        low, high = (asarray(end, dtype=dtype, device=line.device) for end in range)
        if not range[0] < range[1]:
            raise problem(ArgumentError, "histogram", "a range that rises", str(range))
    steps = arange(bins, dtype=dtype, device=line.device)
    # The last edge is exact, so that the largest element is inside.
    return concat((low + (high - low) * (steps / bins), reshape(high, (1,))))
