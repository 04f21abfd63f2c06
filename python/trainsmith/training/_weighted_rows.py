"""Rows that count differently: the loss that uses their weights as they are."""

from typing import Any, final

from trainsmith._core import Tensor
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._graph import Graph
from trainsmith.training.strategies import AbstractStrategy


@final
class WeightedMeanStrategy(AbstractStrategy):
    """Back-propagation of mean(w l): weights have mean 1 over all rows, so a batch of heavy rows counts for more."""

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and adds the gradient of each parameter to its `.grad`; see `GradientStrategy`."""
        raise_if_done(ctx, "compute_gradients")
        values = loss(graph(*graph.ordered(batch.inputs)), batch.targets)
        value = values.mean() if batch.weights is None else (values * batch.weights).mean()
        value.backward()
        return value.detach()
