"""Functions that fold axes away."""

from typing import Any

from trainsmith._core import Tensor, apply
from trainsmith._dtypes import as_dtype, int64
from trainsmith._typing import Axes, DTypeLike, Operand


def _fold(name: str, x: Operand, axis: Axes, keepdims: bool, **options: Any) -> Tensor:
    return apply(name, (x,), {"axis": axis, "keepdims": keepdims, **options})


def all(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Says whether all elements are true.

    Args:
        x: any shape and dtype; true where it is not 0.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        Bools; True over no elements.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.all(ts.asarray([[1, 2], [0, 3]]), axis=1).tolist()
        [True, False]
    """
    return _fold("all", x, axis, keepdims)


def any(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Says whether at least one element is true.

    Args:
        x: any shape and dtype; true where it is not 0.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        Bools; False over no elements.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.any(ts.asarray([[1, 2], [0, 0]]), axis=1).tolist()
        [True, False]
    """
    return _fold("any", x, axis, keepdims)


def argmax(x: Operand, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Gives the position of the largest element, the first where several are equal.

    Args:
        x: any shape and dtype.
        axis: where to look; None counts positions in the flattened tensor.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        int64 positions.

    Raises:
        ArgumentError: no element to choose from.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.argmax(ts.asarray([[1, 5], [7, 2]]), axis=1).tolist()
        [1, 0]
    """
    return _fold("argmax", x, axis, keepdims)


def argmin(x: Operand, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Gives the position of the smallest element, the first where several are equal.

    Args:
        x: any shape and dtype.
        axis: where to look; None counts positions in the flattened tensor.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        int64 positions.

    Raises:
        ArgumentError: no element to choose from.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.argmin(ts.asarray([[1, 5], [7, 2]]), axis=1).tolist()
        [0, 1]
    """
    return _fold("argmin", x, axis, keepdims)


def count_nonzero(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Counts the elements that are not 0.

    Args:
        x: any shape and dtype.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        int64 counts.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> int(ts.count_nonzero(ts.asarray([0, 3, -1])))
        2
    """
    return _fold("sum", apply("not_equal", (x, 0)), axis, keepdims, dtype=int64)


def logsumexp(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Gives the logarithm of the sum of exponentials, without overflow.

    m + ln Σ e^(x - m), m the largest element.

    Args:
        x: any shape; integers become float32.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x` where that is floating.

    Raises:
        ArgumentError: no element to choose from.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> round(float(ts.logsumexp(ts.asarray([1000.0, 1000.0]))), 2)
        1000.69
    """
    return _fold("logsumexp", x, axis, keepdims)


def max(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Gives the largest element; NaN where one is NaN.

    Elements that tie share the gradient evenly.

    Args:
        x: any shape and dtype.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x`.

    Raises:
        ArgumentError: no element to choose from.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.max(ts.asarray([[1, 5], [7, 2]]), axis=1).tolist()
        [5, 7]
    """
    return _fold("max", x, axis, keepdims)


def mean(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Gives the mean.

    Σ x / n

    Args:
        x: any shape; integers become float32.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x` where that is floating; NaN over no elements.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.mean(ts.asarray([1, 2, 6])))
        3.0
    """
    return _fold("mean", x, axis, keepdims)


def min(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Gives the smallest element; NaN where one is NaN.

    Elements that tie share the gradient evenly.

    Args:
        x: any shape and dtype.
        axis: axes to fold; all by default.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x`.

    Raises:
        ArgumentError: no element to choose from.
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.min(ts.asarray([[1, 5], [7, 2]]), axis=1).tolist()
        [1, 2]
    """
    return _fold("min", x, axis, keepdims)


def prod(x: Operand, /, *, axis: Axes = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor:
    """Gives the product.

    Π x; its derivative is right with zeros too.

    Args:
        x: any shape and dtype.
        axis: axes to fold; all by default.
        dtype: to multiply in; by default the dtype of `x`, with 64 bits for integers and bools.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype multiplied in; 1 over no elements.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> int(ts.prod(ts.asarray([2, 3, 4])))
        24
    """
    return _fold("prod", x, axis, keepdims, dtype=as_dtype(dtype))


def std(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Gives the standard deviation.

    √(Σ (x - mean)² / (n - correction))

    Args:
        x: any shape; integers become float32.
        axis: axes to fold; all by default.
        correction: taken from the count; 0 for a population, 1 for a sample.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x` where that is floating; NaN where n - correction is 0.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.std(ts.asarray([1.0, 3.0])))
        1.0
    """
    return _fold("std", x, axis, keepdims, correction=float(correction))


def sum(x: Operand, /, *, axis: Axes = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor:
    """Gives the sum.

    Σ x

    Args:
        x: any shape and dtype.
        axis: axes to fold; all by default.
        dtype: to add in; by default the dtype of `x`, with 64 bits for integers and bools.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype added in; 0 over no elements.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> ts.sum(ts.asarray([[1, 2], [3, 4]]), axis=0).tolist()
        [4, 6]
    """
    return _fold("sum", x, axis, keepdims, dtype=as_dtype(dtype))


def var(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Gives the variance.

    Σ (x - mean)² / (n - correction)

    Args:
        x: any shape; integers become float32.
        axis: axes to fold; all by default.
        correction: taken from the count; 0 for a population, 1 for a sample.
        keepdims: whether folded axes stay, with size 1.

    Returns:
        The dtype of `x` where that is floating; NaN where n - correction is 0.

    Raises:
        IndexRangeError: an axis that `x` does not have.

    Example:
        >>> import trainsmith as ts
        >>> float(ts.var(ts.asarray([1.0, 3.0]), correction=1))
        2.0
    """
    return _fold("var", x, axis, keepdims, correction=float(correction))
