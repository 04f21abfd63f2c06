"""Look-ups that are folded, and forms in two inputs, as layers."""

import math
from typing import Literal, final

from trainsmith._core import Parameter, Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError
from trainsmith.nn import functional, init
from trainsmith.nn._make import parameter, positive
from trainsmith.nn._module import Module

Fold = Literal["sum", "mean", "max"]


@final
class EmbeddingBag(Module):
    """Looks rows of a table up and folds those of each bag; `functional.embedding_bag` as a layer.

    y_b = Σ_{i in bag b} f_i W[x_i], or the mean or the maximum of its rows.

    W starts normal with mean 0 and deviation 1.

    Args:
        num_embeddings: number of rows.
        embedding_dim: length of a row.
        mode: `sum`, `mean` or `max`.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that counts for nothing and starts as zeros; negative ones count from the end.
        device: of the table.
        dtype: of the table, floating.

    Attributes:
        weight: W, shape (num_embeddings, embedding_dim).

    Raises:
        ArgumentError: a size below 1, another mode, or a `padding_idx` outside the table.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.EmbeddingBag(10, 3)(ts.asarray([1, 2, 4]), ts.asarray([0, 2])).shape
        (2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        mode: Fold = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("EmbeddingBag", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if mode not in ("sum", "mean", "max"):
            raise problem(ArgumentError, "EmbeddingBag", "mode sum, mean or max", repr(mode))
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            rule = f"padding_idx in [-{num_embeddings}, {num_embeddings}), a row of the table"
            raise problem(ArgumentError, "EmbeddingBag", rule, str(padding_idx))
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.mode: Fold = mode
        self.include_last_offset = include_last_offset
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = parameter((num_embeddings, embedding_dim), dtype, device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws a new table from the default generator."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            table = self.weight.detach()
            table[self.padding_idx] = 0.0
            self.weight.copy_(table)

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """Maps integers of shape (bags, length), or (n,) with offsets (bags,), to shape (bags, embedding_dim)."""
        options = (self.mode, per_sample_weights, self.include_last_offset, self.padding_idx)
        return functional.embedding_bag(input, self.weight, offsets, *options)

    def extra_repr(self) -> str:
        """Names sizes and mode."""
        return f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}"


@final
class Bilinear(Module):
    """Applies a trained bilinear form for each output.

    y_o = x₁ᵀ A_o x₂ + b_o. Both start uniform in ±1/√in1_features.

    Args:
        in1_features: size of the last axis of first inputs.
        in2_features: size of the last axis of second inputs.
        out_features: size of the last axis of outputs.
        bias: whether there is a summand b.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        weight: A, shape (out_features, in1_features, in2_features).
        bias: b, shape (out_features,), or None.

    Raises:
        ArgumentError: a size below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Bilinear(3, 4, 2)(ts.ones((5, 3)), ts.ones((5, 4))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = parameter((out_features, in1_features, in2_features), dtype, device)
        self.register_parameter("bias", parameter((out_features,), dtype, device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new weights from the default generator."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Maps shapes (..., in1_features) and (..., in2_features) to (..., out_features)."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Names the sizes."""
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}, bias={self.bias is not None}"
