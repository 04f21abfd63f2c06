"""Rows that count differently: batches with weights, and the loss that uses them as they are."""

from typing import Any, final

from trainsmith._core import Tensor
from trainsmith.training._array_provider import ArrayIterator
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._graph import Graph
from trainsmith.training.strategies import AbstractStrategy

WEIGHT = "weight"


class WeightedIterator(ArrayIterator[Any]):
    """Gives the array `weight` as the weights of a batch, not as an input."""

    def batch(self) -> Batch[Any] | None:
        """Returns the current batch; see `DataIterator.batch`."""
        batch = super().batch()
        if batch is None:
            return None
        inputs = {name: value for name, value in batch.inputs.items() if name != WEIGHT}
        return Batch(inputs=inputs, targets=batch.targets, weights=batch.inputs[WEIGHT])


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
