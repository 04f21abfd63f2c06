"""What gradient strategies share: the optimizer's step after the gradients, and state that a checkpoint keeps."""

import abc
from collections.abc import Mapping
from typing import Any

from trainsmith._core import Tensor
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph


class AbstractStrategy(abc.ABC):
    """A `GradientStrategy` that also takes the optimizer's step, and may keep state.

    A trainer records `compute_gradients` and `step` into one captured step. So neither looks at a tensor's value, and
    what changes from step to step is a tensor or a buffer.
    """

    @abc.abstractmethod
    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and adds the gradient of each parameter to its `.grad`.

        Args:
            graph: the model's graph.
            loss: a loss module, or a function of output and targets.
            batch: inputs, targets and weights.
            ctx: may end the work before it starts.

        Returns:
            The loss, shape ().
        """

    def step(self, optimizer: Any) -> None:
        """Takes the optimizer's step with the gradients that stand.

        Args:
            optimizer: of the graph's parameters.
        """
        optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot of what the strategy keeps from step to step; empty where it keeps nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state_dict` gave.

        Args:
            state: the snapshot.
        """
        del state
