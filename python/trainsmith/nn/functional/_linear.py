"""Products with weights, and table look-ups."""

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import DTypeError
from trainsmith.nn.functional._call import call


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Applies an affine map to the last axis.

    y = x Wᵀ + b.

    Args:
        input: shape (..., in).
        weight: shape (out, in).
        bias: shape (out,).

    Returns:
        Shape (..., out).

    Raises:
        ShapeError: sizes that do not match.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.linear(ts.asarray([[1.0, 2.0]]), ts.asarray([[3.0, 4.0]])).tolist()
        [[11.0]]
    """
    return call("linear", input, weight, bias)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Looks rows of a table up.

    y_i = W[x_i].

    Args:
        input: integers in [0, rows), any shape.
        weight: the table, shape (rows, width).
        padding_idx: a row that gets no gradient; negative ones count from the end.

    Returns:
        Shape (*input.shape, width), dtype of `weight`.

    Raises:
        DTypeError: `input` does not hold integers, or `weight` has not two axes.
        IndexRangeError: an index outside the table.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.embedding(ts.asarray([2, 0]), ts.asarray([[0.0], [1.0], [2.0]])).tolist()
        [[2.0], [0.0]]
    """
    return call("embedding", input, weight, padding_idx=padding_idx)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Turns classes into rows with a single 1.

    y[..., c] = 1 where c = x, else 0.

    Args:
        input: integers in [0, num_classes), any shape.
        num_classes: number of classes; -1 takes the largest index plus 1, which reads the tensor and therefore does not
            work inside a compiled function.

    Returns:
        Shape (*input.shape, num_classes), int64.

    Raises:
        DTypeError: `input` does not hold integers.
        ArgumentError: `num_classes` is 0 or below -1.
        IndexRangeError: an index outside the classes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.one_hot(ts.asarray([0, 2]), num_classes=3).tolist()
        [[1, 0, 0], [0, 0, 1]]
    """
    if not input.dtype.is_integer:
        raise problem(DTypeError, "one_hot", "integer classes; convert them with astype(int64)", str(input.dtype))
    if num_classes == -1:
        num_classes = int(call("max", input)) + 1 if input.size else 1
    return call("one_hot", input, num_classes=num_classes)
