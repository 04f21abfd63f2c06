"""Plain back-propagation."""

from typing import Any, final

from trainsmith._core import Tensor
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._abstract import AbstractStrategy
from trainsmith.training.strategies._objective import objective


@final
class DefaultBackpropStrategy(AbstractStrategy):
    """Back-propagation through the whole graph; through all time steps of a recurrent one.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, DefaultBackpropStrategy, Graph
        >>> graph = Graph(nn.Linear(1, 1, bias=False))
        >>> batch = Batch(inputs={"x": ts.asarray([[2.0]])}, targets=ts.asarray([[0.0]]))
        >>> loss = DefaultBackpropStrategy().compute_gradients(graph, lambda output, targets: output.sum(), batch)
        >>> graph.module.weight.grad.tolist()
        [[2.0]]
    """

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and adds the gradient of each parameter to its `.grad`; see `GradientStrategy`."""
        raise_if_done(ctx, "compute_gradients")
        value = objective(loss, graph(*graph.ordered(batch.inputs)), batch.targets, batch.weights)
        # The seed is ones, never the loss: seeded with itself a loss would give the gradient of its square's half.
        value.backward()
        return value.detach()
