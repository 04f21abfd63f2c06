"""Gradients that are limited before the optimizer uses them."""

from typing import Any, final

from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data._wording import worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._wrapper import AbstractWrapper


@final
class ClippingStrategy(AbstractWrapper):
    """Limits the gradients that another strategy computes: each element first, then the norm of all together.

    It works on what stands in `.grad`. So it goes around accumulation and mixed precision, not into them.

    Args:
        inner: computes the gradients; plain back-propagation by default.
        max_norm: bound of the Euclidean norm of all gradients, above 0; None for none.
        max_value: bound of each element's magnitude, above 0; None for none.

    Raises:
        ArgumentError: no bound, or one that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, Graph
        >>> from trainsmith.training.strategies import ClippingStrategy
        >>> graph = Graph(nn.Linear(2, 1, bias=False))
        >>> batch = Batch(inputs={"x": ts.asarray([[3.0, 4.0]])}, targets=ts.zeros((1, 1)))
        >>> strategy = ClippingStrategy(max_norm=2.5)
        >>> loss = strategy.compute_gradients(graph, lambda output, targets: output.sum(), batch)
        >>> [round(float(one), 4) for one in graph.module.weight.grad[0]]
        [1.5, 2.0]
    """

    def __init__(self, inner: Any = None, *, max_norm: float | None = None, max_value: float | None = None) -> None:
        super().__init__(inner)
        bounds = [one for one in (max_norm, max_value) if one is not None]
        if not bounds or not all(one > 0 for one in bounds):
            raise worded(
                ArgumentError,
                "clipping",
                "clipping needs a bound above 0",
                expected="max_norm, max_value or both, above 0",
                got=f"max_norm {max_norm}, max_value {max_value}",
                step="pass max_norm=1.0",
            )
        self._max_norm = max_norm
        self._max_value = max_value

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and the gradients, and limits them; see `GradientStrategy`."""
        value = self.inner.compute_gradients(graph, loss, batch, ctx=ctx)
        parameters = list(graph.parameters())
        if self._max_value is not None:
            nn.utils.clip_grad_value_(parameters, self._max_value)
        if self._max_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self._max_norm)
        return value
