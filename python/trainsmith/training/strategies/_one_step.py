"""The one-step approximation of gradients through time."""

from typing import Any, final

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._abstract import AbstractStrategy
from trainsmith.training.strategies._objective import objective
from trainsmith.training.strategies._time import cut_off, during, steps_of

_OP = "one_step_approximation"


@final
class OneStepApproximationStrategy(AbstractStrategy):
    """Back-propagates through the last application of a recurrent module alone.

    All applications but the last run without a tape; the state they give is a constant of the last, whose output the
    loss sees. Memory does not grow with time. A graph that is not recurrent is trained by plain back-propagation.

    Args:
        time_axis: of the inputs, at least 1. The last application takes their last time step, with axis and all.
        applications: applies the module this often to the same whole inputs instead, as for a fixed point.

    Raises:
        ArgumentError: an axis or a number below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, Graph, OneStepApproximationStrategy
        >>> graph = Graph(nn.GRU(2, 3, batch_first=True), recurrent=True)
        >>> batch = Batch(inputs={"x": ts.ones((4, 5, 2))}, targets=ts.zeros((4, 1, 3)))
        >>> OneStepApproximationStrategy().compute_gradients(graph, nn.MSELoss(), batch).shape
        ()

    Source: Bai, Kolter and Koltun 2019; Wang et al. 2025, Hierarchical Reasoning Model.
    """

    def __init__(self, *, time_axis: int = 1, applications: int | None = None) -> None:
        if time_axis < 1 or (applications is not None and applications < 1):
            raise worded(
                ArgumentError,
                _OP,
                "the last application needs an axis or a number",
                expected="time_axis and applications of at least 1",
                got=f"{shown(time_axis)} and {shown(applications)}",
                step="leave applications out for sequences",
            )
        self._axis = time_axis
        self._applications = applications

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss of the last output and the gradients; see `GradientStrategy`."""
        raise_if_done(ctx, "compute_gradients")
        inputs = graph.ordered(batch.inputs)
        output = self._output(graph, inputs) if graph.recurrent else graph(*inputs)
        value = objective(loss, output, batch.targets, batch.weights)
        value.backward()
        return value.detach()

    def _output(self, graph: Graph, inputs: list[Tensor]) -> Tensor:
        state: Any = None
        if self._applications is not None:
            with ts.no_grad():
                for _ in range(self._applications - 1):
                    _, state = graph.advance(state, *inputs)
            return graph.advance(cut_off(state), *inputs)[0]
        steps = steps_of(inputs, self._axis, _OP)
        if steps > 1:
            with ts.no_grad():
                _, state = graph.advance(None, *(during(one, self._axis, 0, steps - 1) for one in inputs))
        last = [during(one, self._axis, steps - 1, steps) for one in inputs]
        return graph.advance(cut_off(state), *last)[0]
