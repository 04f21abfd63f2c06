"""Back-propagation through time, whole or truncated."""

from typing import Any, final

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._abstract import AbstractStrategy
from trainsmith.training.strategies._objective import amount, objective
from trainsmith.training.strategies._parts import Parts, share_of
from trainsmith.training.strategies._time import cut_off, during, steps_of

_OP = "backprop_through_time"


@final
class BackpropThroughTimeStrategy(AbstractStrategy):
    """Back-propagates through a recurrent module, at most `window` time steps far.

    The sequence is walked in pieces of `window` steps. The state goes from piece to piece, its gradient does not. Each
    batch starts anew.

    Args:
        window: time steps per piece, at least 1; None for the whole sequence.
        time_axis: of the inputs, at least 1; of the targets and weights too where `per_step`.
        per_step: whether there is a target for each time step. The loss is the mean over all pieces then, each counted
            as `AccumulationStrategy` counts. Otherwise the last time step's output, without the axis of time, is
            compared with the targets, and only the last piece is differentiated.

    Raises:
        ArgumentError: a number below 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, Graph
        >>> from trainsmith.training.strategies import BackpropThroughTimeStrategy
        >>> graph = Graph(nn.GRU(2, 3, batch_first=True), recurrent=True)
        >>> batch = Batch(inputs={"x": ts.ones((4, 5, 2))}, targets=ts.zeros((4, 5, 3)))
        >>> BackpropThroughTimeStrategy(window=2).compute_gradients(graph, nn.MSELoss(), batch).shape
        ()

    Source: Williams and Peng 1990, with a step as long as the window.
    """

    def __init__(self, window: int | None = None, *, time_axis: int = 1, per_step: bool = True) -> None:
        if time_axis < 1 or (window is not None and window < 1):
            raise worded(
                ArgumentError,
                _OP,
                "a piece needs an axis and a length",
                expected="time_axis and window of at least 1",
                got=f"{shown(time_axis)} and {shown(window)}",
                step="leave window out for the whole sequence",
            )
        self._window = window
        self._axis = time_axis
        self._per_step = per_step

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss of the sequence and the gradients; see `GradientStrategy`."""
        raise_if_done(ctx, "compute_gradients")
        inputs = graph.ordered(batch.inputs)
        steps = steps_of(inputs, self._axis, _OP)
        window = min(self._window or steps, steps)
        if self._per_step:
            return self._every_piece(graph, loss, batch, inputs, steps, window)
        return self._last_piece(graph, loss, batch, inputs, steps, window)

    def _every_piece(
        self, graph: Graph, loss: Any, batch: Batch, inputs: list[Tensor], steps: int, window: int
    ) -> Tensor:
        targets, weights = batch.targets, batch.weights
        if targets.ndim <= self._axis or targets.shape[self._axis] != steps:
            raise worded(
                ShapeError,
                _OP,
                "each time step needs a target",
                expected=f"targets of length {steps} along axis {self._axis}",
                got=str(tuple(targets.shape)),
                step="pass such targets, or per_step=False for one target per sequence",
            )
        timed = weights is not None and weights.ndim > self._axis
        whole = amount(loss, targets, weights)
        state: Any = None
        with Parts(graph) as total:
            for first in range(0, steps, window):
                last = min(first + window, steps)
                pieces = [during(one, self._axis, first, last) for one in inputs]
                total.begin()
                output, state = graph.advance(cut_off(state), *pieces)
                target = during(targets, self._axis, first, last)
                weight = during(weights, self._axis, first, last) if weights is not None and timed else weights
                value = objective(loss, output, target, weight)
                value.backward()
                part = amount(loss, target, weight)
                total.add(value.detach(), self._share(part, whole, timed or weights is None, (last - first) / steps))
        return total.value

    @staticmethod
    def _share(part: Tensor | int | None, whole: Tensor | int | None, timed: bool, length: float) -> Tensor | float:
        """Says how much a piece counts; rows, and weights of rows, are the same in all and count by its length."""
        return length if isinstance(part, int) or (part is not None and not timed) else share_of(part, whole)

    def _last_piece(
        self, graph: Graph, loss: Any, batch: Batch, inputs: list[Tensor], steps: int, window: int
    ) -> Tensor:
        state: Any = None
        first = steps - window
        if first:
            with ts.no_grad():
                _, state = graph.advance(None, *(during(one, self._axis, 0, first) for one in inputs))
        output, _ = graph.advance(cut_off(state), *(during(one, self._axis, first, steps) for one in inputs))
        final_output = output[(*(slice(None),) * self._axis, -1)]
        value = objective(loss, final_output, batch.targets, batch.weights)
        value.backward()
        return value.detach()
