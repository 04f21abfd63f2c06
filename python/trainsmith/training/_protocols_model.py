"""What trains: one step, a model with its own gradients, a way to compute gradients."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, SupportsFloat, runtime_checkable

from trainsmith._core import Parameter, Tensor
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext


@runtime_checkable
class Trainer(Protocol):
    """Does one training step. Laws: `trainsmith.testing.check_trainer`."""

    def train_step(
        self,
        graph: Any,
        optimizer: Any,
        inputs: Mapping[Hashable, Tensor],
        targets: Tensor,
        *,
        ctx: RunContext | None = None,
    ) -> SupportsFloat:
        """Computes loss and gradients and lets the optimizer change the parameters.

        Args:
            graph: the model's graph.
            optimizer: what changes the parameters of the graph.
            inputs: tensor by graph input or its name.
            targets: what the loss compares the output with.
            ctx: may end the step before it starts.

        Returns:
            The loss before the step: a number, or a tensor without axes.

        Raises:
            CancelledError: the context is done; nothing has changed then.
        """
        ...


@runtime_checkable
class Model(Protocol):
    """A model that is differentiated by itself. Laws: `trainsmith.testing.check_model`."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Computes the output.

        Args:
            inputs: one tensor per input, shape (rows, ...).

        Returns:
            The output, shape (rows, ...).
        """
        ...

    def backward(self, grad: Tensor, *inputs: Tensor) -> Sequence[Tensor | None]:
        """Adds to the gradients of the parameters and returns those of the inputs.

        Args:
            grad: derivative of the loss with respect to the output of `forward`, its shape.
            inputs: the inputs of `forward`.

        Returns:
            One gradient per input, of its shape; None for an input that has none.
        """
        ...

    def parameters(self) -> Iterable[Parameter]:
        """Gives the trained parameters, always in the same order."""
        ...


@runtime_checkable
class GradientStrategy(Protocol):
    """Decides how gradients are computed. Laws: `trainsmith.testing.check_gradient_strategy`."""

    def compute_gradients(self, graph: Any, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> SupportsFloat:
        """Computes the loss and adds the gradient of each parameter to its `.grad`.

        Args:
            graph: the model's graph.
            loss: a loss module, or a function of output and targets.
            batch: inputs and targets.
            ctx: may end the work before it starts.

        Returns:
            The loss: a number, or a tensor without axes.
        """
        ...
