"""Reading and changing parts of tensors: `x[key]` and `x[key] = value`."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from trainsmith import _core
from trainsmith._arrays import asarray, cloned
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import int64
from trainsmith._exchange import words
from trainsmith._index_key import Gathered, Key, Positions, parse
from trainsmith._manipulation import common_shape, moveaxis
from trainsmith._problem import problem
from trainsmith.errors import GraphError, ShapeError


def getitem(x: Tensor, key: Any, /) -> Tensor:
    """Gives a part of a tensor, with NumPy's rules.

    Integers, slices, None and an ellipsis copy nothing. Arrays, lists and tensors of integers gather elements, and
    their shapes broadcast. Masks, that is bools, keep the elements where they are true; the host reads them, so they do
    not work inside a compiled function, where `where` does.

    Args:
        x: any shape and dtype.
        key: what stands between the brackets.

    Returns:
        The part: later changes of either tensor do not show in the other.

    Raises:
        DTypeError: an index that is neither integer nor bool.
        GraphError: a mask inside a compiled function.
        IndexRangeError: an index out of range, a mask of another shape, or more indices than axes.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.asarray([[1, 2, 3], [4, 5, 6]])
        >>> x[0, ::-1].tolist(), x[:, [0, 2]].tolist(), x[x > 4].tolist()
        ([3, 2, 1], [[1, 3], [4, 6]], [5, 6])
    """
    return _read(x, parse(x.shape, key))


def _read(x: Tensor, key: Key) -> Tensor:
    part = _sliced(x, key)
    if not key.gathered:
        return cloned(x) if part is x else part
    return _gathered(part, key)


def _sliced(x: Tensor, key: Key) -> Tensor:
    part = x
    if tuple(key.sizes) != x.shape or any(step != 1 for step in key.steps):
        part = apply("slice", (x,), {"starts": tuple(key.starts), "sizes": tuple(key.sizes), "steps": tuple(key.steps)})
    shape = tuple(key.shape)
    return part if shape == part.shape else apply("reshape", (part,), {"shape": shape})


def _gathered(x: Tensor, key: Key) -> Tensor:
    """Several positions at once are one position each in their axes taken together."""
    found = key.gathered
    axes = [item.axis for item in found]
    shape = common_shape("index", [item.positions.shape for item in found])
    if len(found) > 1:
        if not key.adjacent:
            x = moveaxis(x, axes, list(range(len(axes))))
            axes = list(range(len(axes)))
        joined = (*x.shape[: axes[0]], prod(item.size for item in found), *x.shape[axes[-1] + 1 :])
        x = apply("reshape", (x,), {"shape": joined})
    positions = _together(found) if len(found) > 1 else found[0].positions
    taken = apply("take", (x, _tensor(positions, x.device)), {"axis": axes[0]})
    if key.adjacent or axes[0] == 0 or not shape:
        return taken
    return moveaxis(taken, list(range(axes[0], axes[0] + len(shape))), list(range(len(shape))))


def _together(found: list[Gathered]) -> Positions:
    """Row-major positions in the axes taken together; those the host has not checked fall outside where one does."""
    flat: Any = 0
    outside: Any = None
    for item in found:
        positions: Any = item.positions
        flat = flat * item.size + (positions + (positions < 0) * item.size)
        if isinstance(positions, Tensor):
            beyond = (positions < -item.size) | (positions >= item.size)
            outside = beyond if outside is None else outside | beyond
    return flat if outside is None else apply("where", (outside, prod(item.size for item in found), flat))


def _tensor(positions: Positions, device: str) -> Tensor:
    if isinstance(positions, Tensor):
        return positions
    return _core.from_bytes(np.ascontiguousarray(positions).tobytes(), positions.shape, int64, device)


def setitem(x: Tensor, key: Any, value: Any, /) -> None:
    """Changes a part of a tensor: `x[key] = value`.

    This points the object `x` at a new result, seen by every reference to it and by no other tensor; gradients flow to
    what stays and to `value`. Of several values for one element the last one wins; inside a compiled function, where
    the indices are not known, they must be distinct.

    Args:
        x: a tensor; outside `no_grad` no leaf that requires a gradient.
        key: what stands between the brackets, as in `x[key]`.
        value: a number, array or tensor that broadcasts to the shape of `x[key]`; it is cast to the dtype of `x`.

    Raises:
        GraphError: such a leaf, or a mask inside a compiled function.
        IndexRangeError: an index out of range, a mask of another shape, or more indices than axes.
        ShapeError: a value that does not broadcast to the shape of `x[key]`.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.zeros(4)
        >>> x[1:3] = ts.asarray([5.0, 6.0])
        >>> x.tolist()
        [0.0, 5.0, 6.0, 0.0]
    """
    parsed = parse(x.shape, key)
    count = apply("arange", (), {"start": 0.0, "stop": float(x.size), "step": 1.0, "device": x.device})
    places = _read(apply("reshape", (count,), {"shape": x.shape}), parsed)
    values = _fitted(asarray(value, dtype=x.dtype, device=_device_of(value, x)), places.shape)
    if parsed.gathered:
        places, values = _last_of_each(places, values)
    x.assign_(apply("put", (x, places, values)))


def _device_of(value: Any, x: Tensor) -> str | None:
    return None if isinstance(value, Tensor) else x.device


def _fitted(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The value in the shape of the part; leading axes of size 1 are dropped, as NumPy does."""
    extra = max(value.ndim - len(shape), 0)
    given = value.shape[extra:] if set(value.shape[:extra]) <= {1} else value.shape
    if len(given) > len(shape) or any(a not in (1, b) for a, b in zip(reversed(given), reversed(shape))):
        raise problem(ShapeError, "index", f"a value that broadcasts to shape {shape}", f"shape {value.shape}")
    return apply("broadcast_to", (apply("reshape", (value,), {"shape": given}),), {"shape": shape})


def _last_of_each(places: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    try:
        host: npt.NDArray[np.int64] = words(places).reshape(-1)
    except GraphError:
        return places, values
    _, first_from_end = np.unique(host[::-1], return_index=True)
    if first_from_end.size == host.size:
        return places, values
    kept = np.sort(host.size - 1 - first_from_end)
    flat = apply("reshape", (values,), {"shape": (-1,)})
    return _tensor(host[kept], places.device), apply("take", (flat, _tensor(kept, places.device)), {"axis": 0})


class NotIterableError(ShapeError, TypeError):
    """A tensor without axes has no parts; a TypeError, as Python says of what cannot be iterated over."""


def iterate(x: Tensor) -> Iterator[Tensor]:
    """Answers `iter(x)`: the parts along the first axis.

    Raises:
        NotIterableError: a 0-d tensor.
    """
    if x.ndim == 0:
        raise problem(
            NotIterableError, "iter", "a tensor with at least one axis; use item() for its number", "shape ()"
        )
    return (getitem(x, place) for place in range(x.shape[0]))
