"""Look-ups that are folded, and forms in two inputs."""

from typing import Literal

from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._call import call


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    mode: Literal["sum", "mean", "max"] = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Looks rows of a table up and folds those of each bag.

    y_b = Σ_{i in bag b} f_i W[x_i], or the mean or the maximum of its rows. An empty bag gives zeros.

    Args:
        input: integers in [0, rows): one bag a row, shape (bags, length), or all bags one after the other, shape (n,).
        weight: the table, shape (rows, width).
        offsets: where each bag starts in an input of shape (n,), sorted, the first 0; shape (bags,).
        mode: `sum`, `mean` or `max`; the gradient of a maximum goes to the first of equals.
        per_sample_weights: factors f, shape of `input`; only with `sum`.
        include_last_offset: whether the last offset is the end of the last bag instead of the start of one more.
        padding_idx: a row that counts for nothing; negative ones count from the end.

    Returns:
        Shape (bags, width), dtype of `weight`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another mode, or factors with a mode other than `sum`.
        IndexRangeError: an index outside the table.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> table = ts.asarray([[1.0], [10.0], [100.0]])
        >>> nn.functional.embedding_bag(ts.asarray([0, 1, 2]), table, ts.asarray([0, 2]), mode="sum").tolist()
        [[11.0], [100.0]]
    """
    if input.ndim == 1 and offsets is None:
        raise problem(ArgumentError, "embedding_bag", "offsets with an input of one axis", "none")
    if offsets is not None and include_last_offset:
        if offsets.shape[0] < 1:
            raise problem(ShapeError, "embedding_bag", "at least one offset with include_last_offset", "none")
        offsets = call("slice", offsets, starts=(0,), sizes=(offsets.shape[0] - 1,), steps=(1,))
    return call("embedding_bag", input, weight, offsets, per_sample_weights, mode=mode, padding_idx=padding_idx)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Applies a bilinear form for each output.

    y_o = x₁ᵀ A_o x₂ + b_o.

    Args:
        input1: shape (..., in1).
        input2: shape (..., in2), the same leading axes.
        weight: A, shape (out, in1, in2).
        bias: b, shape (out,).

    Returns:
        Shape (..., out).

    Raises:
        ShapeError: sizes that do not match.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.bilinear(ts.asarray([2.0]), ts.asarray([3.0]), ts.asarray([[[5.0]]])).tolist()
        [30.0]
    """
    fits = weight.ndim == 3 and input1.ndim == input2.ndim >= 1 and input1.shape[:-1] == input2.shape[:-1]
    if not fits or (input1.shape[-1], input2.shape[-1]) != weight.shape[1:]:
        rule = "inputs (..., in1) and (..., in2) with the same leading axes, and a weight (out, in1, in2)"
        raise problem(ShapeError, "bilinear", rule, f"{input1.shape}, {input2.shape} and weight {weight.shape}")
    outputs, _, width = weight.shape
    square = call("reshape", call("permute_dims", weight, axes=(1, 0, 2)), shape=(-1, outputs * width))
    half = call("reshape", call("matmul", input1, square), shape=(*input1.shape[:-1], outputs, width))
    y = call("sum", call("multiply", half, call("expand_dims", input2, axis=-2)), axis=-1)
    return y if bias is None else apply("add", (y, bias))
