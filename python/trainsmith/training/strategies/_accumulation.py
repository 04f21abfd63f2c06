"""A step in parts: gradients of micro-batches that add up to those of the whole batch."""

from itertools import pairwise
from typing import Any, final

from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._objective import amount
from trainsmith.training.strategies._parts import Parts, share_of
from trainsmith.training.strategies._wrapper import AbstractWrapper


@final
class AccumulationStrategy(AbstractWrapper):
    """Cuts each batch into micro-batches along its rows; loss and gradients are those of the whole batch.

    g = Σ a_i g_i / Σ a_i over the micro-batches i, where a_i is what the mean of its loss divides by: the sum of its
    weights, or the number of targets that count (see `ignore_index`), or of its rows. Fewer activations are alive at
    once. A layer that looks across rows, such as batch normalisation, sees micro-batches.

    Args:
        micro_batches: into how many parts, at least 1; parts differ by at most one row. A batch with fewer rows gives
            one part per row.
        inner: computes the gradients of a part; plain back-propagation by default.

    Raises:
        ArgumentError: `micro_batches` below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, Graph
        >>> from trainsmith.training.strategies import AccumulationStrategy
        >>> graph = Graph(nn.Linear(1, 1, bias=False))
        >>> batch = Batch(inputs={"x": ts.asarray([[1.0], [2.0], [6.0]])}, targets=ts.zeros((3, 1)))
        >>> loss = AccumulationStrategy(2).compute_gradients(graph, lambda output, targets: output.mean(), batch)
        >>> graph.module.weight.grad.tolist()
        [[3.0]]
    """

    def __init__(self, micro_batches: int, inner: Any = None) -> None:
        super().__init__(inner)
        if not isinstance(micro_batches, int) or micro_batches < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise worded(
                ArgumentError,
                "accumulation",
                "a batch is cut into micro-batches",
                expected="a whole number of at least 1",
                got=shown(micro_batches),
                step="pass the number of parts",
            )
        self._parts = micro_batches

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and the gradients part by part; see `GradientStrategy`."""
        parts = _cut(batch, self._parts)
        if len(parts) == 1:
            return self.inner.compute_gradients(graph, loss, batch, ctx=ctx)
        whole = amount(loss, batch.targets, batch.weights)
        with Parts(graph) as total:
            for part in parts:
                total.begin()
                found = self.inner.compute_gradients(graph, loss, part, ctx=ctx)
                total.add(found, share_of(amount(loss, part.targets, part.weights), whole))
        return total.value


def _cut(batch: Batch, count: int) -> list[Batch]:
    count = max(1, min(count, batch.rows))
    if count == 1:
        return [batch]
    edges = [batch.rows * place // count for place in range(count + 1)]

    def taken(value: Tensor, first: int, last: int) -> Tensor:
        return value[first:last]

    return [
        Batch(
            inputs={name: taken(one, first, last) for name, one in batch.inputs.items()},
            targets=taken(batch.targets, first, last),
            weights=None if batch.weights is None else taken(batch.weights, first, last),
        )
        for first, last in pairwise(edges)
    ]
