"""A strategy bound to one graph and loss."""

from typing import Any, SupportsFloat

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._protocols_model import GradientStrategy


class GradientStrategyAdapter:
    """Binds a strategy to a graph and a loss, so that a batch is all it takes.

    Args:
        strategy: computes the gradients.
        graph: the model's graph.
        loss: a loss module, or a function of output and targets.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, DefaultBackpropStrategy, Graph, GradientStrategyAdapter
        >>> graph = Graph(nn.Linear(2, 1))
        >>> adapter = GradientStrategyAdapter(DefaultBackpropStrategy(), graph, nn.MSELoss())
        >>> batch = Batch(inputs={"x": ts.ones((4, 2))}, targets=ts.ones((4, 1)))
        >>> adapter.compute_gradients_from_batch(batch).shape
        ()
    """

    def __init__(self, strategy: GradientStrategy, graph: Any, loss: Any) -> None:
        self._strategy = strategy
        self._graph = graph
        self._loss = loss

    def compute_gradients_from_batch(self, batch: Batch, *, ctx: RunContext | None = None) -> SupportsFloat:
        """Computes the loss of a batch and adds the gradient of each parameter to its `.grad`.

        Args:
            batch: inputs and targets.
            ctx: may end the work before it starts.

        Returns:
            The loss: a number, or a tensor without axes.

        Raises:
            ArgumentError: no batch.
            CancelledError: the context is done.
        """
        if not isinstance(batch, Batch):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise worded(
                ArgumentError,
                "compute_gradients_from_batch",
                "gradients need a batch",
                expected="a Batch",
                got=shown(batch),
                step="pass Batch(inputs=..., targets=...)",
            )
        return self._strategy.compute_gradients(self._graph, self._loss, batch, ctx=ctx)
