"""Functions that run along an axis: running sums and products, differences."""

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._dtypes import as_dtype
from trainsmith._dtypes import bool as truth
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike, Operand
from trainsmith.errors import ArgumentError


def cumulative_prod(
    x: Operand, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """Gives the running product along an axis.

    y[i] = x[0] x[1] ... x[i]; its derivative is right with zeros too.

    Args:
        x: at least one axis, any dtype.
        axis: along which; needed unless there is just one.
        dtype: to multiply in; by default the dtype of `x`, with 64 bits for integers and bools.
        include_initial: whether a 1 comes first.

    Returns:
        Shape of `x`, one longer along the axis with `include_initial`.

    Raises:
        ArgumentError: no axis for several.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.cumulative_prod(ts.asarray([1, 2, 3])).tolist()
        [1, 2, 6]
    """
    return _running("cumulative_prod", x, axis, dtype, include_initial)


def cumulative_sum(
    x: Operand, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """Gives the running sum along an axis.

    y[i] = x[0] + x[1] + ... + x[i]

    Args:
        x: at least one axis, any dtype.
        axis: along which; needed unless there is just one.
        dtype: to add in; by default the dtype of `x`, with 64 bits for integers and bools.
        include_initial: whether a 0 comes first.

    Returns:
        Shape of `x`, one longer along the axis with `include_initial`.

    Raises:
        ArgumentError: no axis for several.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.cumulative_sum(ts.asarray([1, 2, 3]), include_initial=True).tolist()
        [0, 1, 3, 6]
    """
    return _running("cumulative_sum", x, axis, dtype, include_initial)


def _running(name: str, x: Operand, axis: int | None, dtype: DTypeLike | None, include_initial: bool) -> Tensor:
    return apply(name, (x,), {"axis": axis, "dtype": as_dtype(dtype), "include_initial": include_initial})


def diff(
    x: Operand, /, *, axis: int = -1, n: int = 1, prepend: Operand | None = None, append: Operand | None = None
) -> Tensor:
    """Gives the differences of neighbours along an axis.

    y[i] = x[i + 1] - x[i], n times.

    Args:
        x: at least one axis; of bools, the differences are those that differ.
        axis: along which.
        n: how often, at least 0.
        prepend: what comes before `x`, of its shape but for the axis.
        append: what comes after `x`, likewise.

    Returns:
        Shape of `x`, shorter by `n` along the axis.

    Raises:
        ArgumentError: a negative `n`.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.diff(ts.asarray([1, 4, 9])).tolist()
        [3, 5]
    """
    if n < 0:
        raise problem(ArgumentError, "diff", "n of at least 0", str(n))
    parts = tuple(asarray(part) for part in (prepend, x, append) if part is not None)
    result: Tensor = apply("concat", parts, {"axis": axis})
    for _ in range(n):
        result = _neighbours(result, axis)
    return result


def _neighbours(x: Tensor, axis: int) -> Tensor:
    place = axis % x.ndim
    sizes = tuple(max(size - 1, 0) if a == place else size for a, size in enumerate(x.shape))
    later = tuple(min(1, x.shape[a]) if a == place else 0 for a in range(x.ndim))
    steps = (1,) * x.ndim
    after = apply("slice", (x,), {"starts": later, "sizes": sizes, "steps": steps})
    before = apply("slice", (x,), {"starts": (0,) * x.ndim, "sizes": sizes, "steps": steps})
    return apply("not_equal" if x.dtype == truth else "subtract", (after, before))
