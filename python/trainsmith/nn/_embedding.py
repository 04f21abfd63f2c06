"""Tables of vectors."""

from typing import Self, final

from trainsmith._core import Parameter, Tensor, apply
from trainsmith._dtypes import int64
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional, init
from trainsmith.nn._make import full, parameter, positive
from trainsmith.nn._module import Module


@final
class Embedding(Module):
    """Looks vectors up by number.

    y_i = W[x_i]. W starts normal with mean 0 and deviation 1, the row `padding_idx` as zeros.

    Args:
        num_embeddings: number of rows.
        embedding_dim: length of a row.
        padding_idx: a row that gets no gradient; negative ones count from the end.
        device: of the table.
        dtype: of the table, floating.

    Attributes:
        weight: W, shape (num_embeddings, embedding_dim).

    Raises:
        ArgumentError: a size below 1, or a `padding_idx` outside the table.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Embedding(10, 3)(ts.asarray([[1, 2], [4, 9]])).shape
        (2, 2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _row(padding_idx, num_embeddings)
        self.weight = parameter((num_embeddings, embedding_dim), dtype, device)
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """Makes a layer of a given table.

        Args:
            embeddings: the table, shape (rows, width), floating; it is copied.
            freeze: whether the table is not trained.
            padding_idx: a row that gets no gradient.

        Returns:
            The layer.

        Raises:
            ShapeError: a table without two axes.

        Example:
            >>> import trainsmith as ts
            >>> from trainsmith import nn
            >>> nn.Embedding.from_pretrained(ts.ones((4, 2))).weight.requires_grad
            False
        """
        if embeddings.ndim != 2:
            raise problem(ShapeError, "Embedding", "a table of shape (rows, width)", str(embeddings.shape))
        rows, width = embeddings.shape
        layer = cls.__new__(cls)
        Module.__init__(layer)
        layer.num_embeddings, layer.embedding_dim = rows, width
        layer.padding_idx = _row(padding_idx, rows)
        layer.weight = Parameter(embeddings.detach(), not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draws a new table from the default generator."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            row = full(self.padding_idx, (), int64, self.weight.device)
            kept = 1 - functional.one_hot(row, self.num_embeddings)
            column = apply("expand_dims", (kept,), {"axis": 1})
            self.weight.copy_(apply("multiply", (self.weight.detach(), column)))

    def forward(self, input: Tensor) -> Tensor:
        """Maps integers of any shape to shape (*input.shape, embedding_dim)."""
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Names the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def _row(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None or 0 <= padding_idx < rows:
        return padding_idx
    if -rows <= padding_idx < 0:
        return padding_idx + rows
    raise problem(ArgumentError, "Embedding", f"padding_idx in [-{rows}, {rows}), a row of the table", str(padding_idx))
