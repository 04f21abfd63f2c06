"""What the loop trains: one step, one measurement, the weights and the state."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, SupportsFloat, cast

import trainsmith as ts
from trainsmith import _core, nn
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, DataError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._evaluation_mode import evaluation_mode
from trainsmith.training._protocols_model import Trainer

Loss = Callable[[Any, Any], Any]


class Learner(Protocol):
    """A model with what trains it."""

    @property
    def optimizer(self) -> Any:
        """What changes the weights."""
        ...

    @property
    def model(self) -> Any:
        """The model."""
        ...

    def train_step(self, batch: Batch[Any], *, ctx: RunContext | None = None) -> SupportsFloat:
        """Does one step.

        Args:
            batch: the rows.
            ctx: may end the step before it starts.

        Returns:
            The loss, which nobody has read yet.
        """
        ...

    def evaluate_step(self, batch: Batch[Any], *, ctx: RunContext | None = None) -> tuple[SupportsFloat, ts.Tensor]:
        """Measures a batch and changes nothing; called inside `evaluating`.

        Args:
            batch: the rows.
            ctx: may end the work before it starts.

        Returns:
            Mean loss and output.
        """
        ...

    def amount(self, batch: Batch[Any]) -> SupportsFloat:
        """Says how much the loss of a batch counts in the mean over batches.

        Args:
            batch: the rows.

        Returns:
            Its rows, or the sum of their weights where the loss is divided by that.
        """
        ...

    def explain(self, batch: Batch[Any]) -> str:
        """Says what made the first value that is not finite in the step of a batch.

        Args:
            batch: the rows.

        Returns:
            A phrase; empty where it is not known.
        """
        ...

    def evaluating(self) -> AbstractContextManager[None]:
        """Puts the model into evaluation mode for a while."""
        ...

    def weights(self) -> dict[str, ts.Tensor]:
        """Takes a snapshot of parameters and buffers."""
        ...

    def load_weights(self, weights: Mapping[str, ts.Tensor]) -> None:
        """Puts a snapshot back.

        Args:
            weights: what `weights` returned.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Returns the state beside the weights: optimizer and trainer."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state_dict` returned.

        Args:
            state: the values.
        """
        ...


class TrainerLearner:
    """A learner made of a `Trainer`, the model's graph and an optimizer.

    Args:
        trainer: does the steps. Its `evaluate_step(graph, inputs, targets)`, where it has one, gives loss and output;
            its `state_dict` and `load_state_dict`, where it has them, become part of checkpoints.
        graph: the model.
        optimizer: changes its parameters.
        loss: output and targets to the mean loss, for trainers without `evaluate_step`.
        by_weight: whether the loss of weighted rows is divided by the sum of their weights, as `DefaultTrainer` does;
            otherwise by their number.

    Example:
        `StandardWorkflow` uses it.
    """

    def __init__(
        self, trainer: Trainer, graph: Any, optimizer: Any, *, loss: Loss | None = None, by_weight: bool = True
    ) -> None:
        self._trainer: Any = trainer
        self._graph = graph
        self._optimizer = optimizer
        self._loss = loss
        self._by_weight = by_weight

    @property
    def optimizer(self) -> Any:
        """What changes the weights."""
        return self._optimizer

    @property
    def model(self) -> Any:
        """The model's graph."""
        return self._graph

    @property
    def last_gradient_norm(self) -> ts.Tensor | None:
        """The norm of the last step's gradients, where the trainer keeps it."""
        return getattr(self._trainer, "last_gradient_norm", None)

    def train_step(self, batch: Batch[Any], *, ctx: RunContext | None = None) -> SupportsFloat:
        """Lets the trainer do one step; see `Learner.train_step`."""
        if batch.weights is None:
            return self._trainer.train_step(self._graph, self._optimizer, batch.inputs, batch.targets, ctx=ctx)
        return self._trainer.train_step(
            self._graph, self._optimizer, batch.inputs, batch.targets, weights=batch.weights, ctx=ctx
        )

    def evaluate_step(self, batch: Batch[Any], *, ctx: RunContext | None = None) -> tuple[SupportsFloat, ts.Tensor]:
        """Measures a batch; see `Learner.evaluate_step`.

        Raises:
            ConfigError: the trainer has no `evaluate_step`, and there is no loss.
        """
        if hasattr(self._trainer, "evaluate_step"):
            more = {} if batch.weights is None else {"weights": batch.weights}
            return self._trainer.evaluate_step(self._graph, batch.inputs, batch.targets, ctx=ctx, **more)
        if self._loss is None:
            raise worded(
                ConfigError,
                "validate",
                "a validation needs a loss",
                expected="a trainer with evaluate_step, or a loss",
                got=type(self._trainer).__name__,
                step="pass loss=, a function of output and targets",
            )
        # A call, where there is one, runs hooks and keeps nothing for `backward`.
        forward: Any = self._graph if callable(self._graph) else self._graph.forward
        with ts.no_grad():
            output = forward(*inputs_of(self._graph, batch))
            return self._loss(output, batch.targets), output

    def amount(self, batch: Batch[Any]) -> SupportsFloat:
        """Gives the rows, or the sum of their weights; see `Learner.amount`."""
        return batch.rows if batch.weights is None or not self._by_weight else batch.weights.sum()

    def explain(self, batch: Batch[Any]) -> str:
        """Asks the trainer's `find_non_finite`, where it has one; see `Learner.explain`."""
        find: Any = getattr(self._trainer, "find_non_finite", None)
        if find is None:
            return ""
        found = find(self._graph, self._optimizer, batch.inputs, batch.targets, weights=batch.weights)
        return "" if found is None else str(found)

    def evaluating(self) -> AbstractContextManager[None]:
        """Puts the model into evaluation mode for a while, and each part of it back to what it was."""
        module = getattr(self._graph, "module", self._graph)
        return evaluation_mode(module) if isinstance(module, nn.Module) else _evaluating(self._graph)

    def weights(self) -> dict[str, ts.Tensor]:
        """Takes a snapshot of the model's `state_dict`, or of its parameters by number where it has none."""
        source = _with_state(self._graph)
        if source is not None:
            return source.state_dict()
        parameters = _parameters(self._graph)
        return {str(place): value for place, value in enumerate(_core.read_together(parameters))}

    def load_weights(self, weights: Mapping[str, ts.Tensor]) -> None:
        """Puts a snapshot back."""
        source = _with_state(self._graph)
        if source is not None:
            source.load_state_dict(weights)
            return
        parameters = _parameters(self._graph)
        found = [tuple(weights[name].shape) for name in weights]
        if found != [tuple(one.shape) for one in parameters]:
            raise worded(
                DataError,
                "resume",
                "the weights must fit the model",
                expected=f"{len(parameters)} parameters",
                got=f"shapes {found}",
                step="make the model as it was when the weights were saved",
            )
        for place, parameter in enumerate(parameters):
            parameter.copy_(weights[str(place)])

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of optimizer and trainer."""
        state = {"optimizer": self._optimizer.state_dict()} if hasattr(self._optimizer, "state_dict") else {}
        if hasattr(self._trainer, "state_dict"):
            state["trainer"] = self._trainer.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts the state of optimizer and trainer back."""
        if "optimizer" in state:
            self._optimizer.load_state_dict(state["optimizer"])
        if "trainer" in state:
            self._trainer.load_state_dict(state["trainer"])


def inputs_of(graph: Any, batch: Batch[Any]) -> list[ts.Tensor]:
    """Orders the inputs of a batch as a graph takes them.

    Args:
        graph: with `inputs`, keys of the batch; without them the batch's own order holds.
        batch: inputs by key or name.

    Returns:
        One tensor per input.

    Raises:
        KeyError: an input is missing.

    Example:
        >>> import trainsmith as ts
        >>> [one.shape for one in inputs_of(None, Batch(inputs={"x": ts.ones(2)}, targets=ts.ones(2)))]
        [(2,)]
    """
    keys = getattr(graph, "inputs", None)
    if keys is None:
        return list(batch.inputs.values())
    return [batch.inputs[key] if key in batch.inputs else batch.inputs[key.name] for key in keys]


def _parameters(graph: Any) -> list[_core.Parameter]:
    return list(cast(Iterable[_core.Parameter], graph.parameters()))


def _with_state(graph: Any) -> Any:
    """Finds the object with a `state_dict`: the graph or its module."""
    for one in (graph, getattr(graph, "module", None)):
        if hasattr(one, "state_dict") and hasattr(one, "load_state_dict"):
            return one
    return None


@contextmanager
def _evaluating(graph: Any) -> Generator[None]:
    """Switches a model that is no module, where it has modes."""
    if not (hasattr(graph, "train") and hasattr(graph, "eval")):
        yield
        return
    graph.eval()
    try:
        yield
    finally:
        graph.train()
