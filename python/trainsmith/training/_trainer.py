"""The trainer: one captured step per graph, optimizer and signature."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import trainsmith as ts
from trainsmith._capture import Compiled
from trainsmith._core import Tensor, clip_by_norm
from trainsmith._non_finite import NonFinite
from trainsmith.data._wording import worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._evaluation_mode import evaluation_mode
from trainsmith.training._graph import Graph
from trainsmith.training._protocols_model import GradientStrategy
from trainsmith.training.strategies._backprop import DefaultBackpropStrategy
from trainsmith.training.strategies._objective import objective
from trainsmith.training.strategies._wrapper import load_state, state_of, take_step

#: Graphs, or pairs of graph and optimizer, whose steps a trainer keeps; the oldest goes first.
MAX_STEPS = 8


class Evaluation(NamedTuple):
    """What one evaluation step gives.

    Attributes:
        loss: of the batch, shape ().
        output: of the model, shape (rows, ...).
    """

    loss: Tensor
    output: Tensor


class DefaultTrainer:
    """Trains step by step. Gradients, clipping, the optimizer's update and what comes after are one captured step.

    The optimizer's gradients are cleared before a step. The module is used in the mode it is in: call `graph.train()`
    before training.

    Args:
        graph: what `train_step` is called with most; kept as `graph`.
        loss: a loss module, or a function of output and targets. One that gives a value per row is averaged, with the
            batch's weights where it has them.
        optimizer: what `train_step` is called with most; kept as `optimizer`.
        strategy: computes the gradients; plain back-propagation by default.
        after_step: called after each update, inside the captured step, such as `ema.update` or `scheduler.step`.
        gradient_norm: whether to keep the Euclidean norm of the gradients that the optimizer got.
        capture: whether steps are captured. A strategy or loss that looks at values needs False.
        check: compares every so many captured training steps with the eager step, as `compile` does; 0 never.

    Attributes:
        last_gradient_norm: of the last step, shape (), where `gradient_norm` is set; else None.

    Raises:
        ArgumentError: a loss that cannot be called, or a strategy without `compute_gradients`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> from trainsmith.training import DefaultTrainer, Graph
        >>> graph = Graph(nn.Linear(2, 1))
        >>> optimizer = optim.SGD(graph.parameters(), lr=0.1)
        >>> trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer)
        >>> x, y = ts.asarray([[1.0, 0.0], [0.0, 1.0]]), ts.asarray([[1.0], [2.0]])
        >>> losses = [float(trainer.train_step(graph, optimizer, {"x": x}, y)) for _ in range(50)]
        >>> losses[-1] < losses[0]
        True
        >>> trainer.evaluate_step(graph, {"x": x}, y).output.shape
        (2, 1)
    """

    def __init__(
        self,
        graph: Graph | None,
        loss: Callable[..., Tensor],
        optimizer: Any = None,
        strategy: GradientStrategy | None = None,
        *,
        after_step: Sequence[Callable[[], object]] = (),
        gradient_norm: bool = False,
        capture: bool = True,
        check: int = 0,
    ) -> None:
        chosen = DefaultBackpropStrategy() if strategy is None else strategy
        if not callable(loss) or not isinstance(cast(Any, chosen), GradientStrategy):
            raise worded(
                ArgumentError,
                "trainer",
                "a trainer needs a loss and a strategy",
                expected="a function of output and targets, and an object with compute_gradients",
                got=f"{type(loss).__name__} and {type(chosen).__name__}",
                step="pass nn.MSELoss() and a strategy, or None for plain back-propagation",
            )
        self.graph = graph
        self.optimizer = optimizer
        self.last_gradient_norm: Tensor | None = None
        self._loss = loss
        self._strategy = chosen
        self._after = tuple(after_step)
        self._gradient_norm = gradient_norm
        self._capture = capture
        self._check = check
        self._training: dict[tuple[int, int], Callable[..., Any]] = {}
        self._evaluation: dict[int, Callable[..., Any]] = {}

    @property
    def loss(self) -> Callable[..., Tensor]:
        """The loss."""
        return self._loss

    @property
    def strategy(self) -> GradientStrategy:
        """What computes the gradients."""
        return self._strategy

    def train_step(
        self,
        graph: Graph,
        optimizer: Any,
        inputs: Mapping[Hashable, Tensor],
        targets: Tensor,
        *,
        weights: Tensor | None = None,
        ctx: RunContext | None = None,
    ) -> Tensor:
        """Computes loss and gradients and lets the optimizer change the parameters.

        Args:
            graph: the model's graph.
            optimizer: of the graph's parameters.
            inputs: tensor by graph input or its name.
            targets: what the loss compares the output with.
            weights: how much each row counts; see `Batch.weights`.
            ctx: may end the step before it starts.

        Returns:
            The loss before the step, shape (). It is not read back until it is looked at.

        Raises:
            CancelledError: the context is done; nothing has changed then.
            ArgumentError: inputs other than the graph's.
            NonFiniteError: a gradient is infinite or NaN; nothing has changed then.
        """
        if ctx is not None:
            ctx.raise_if_done("train_step")
        step = self._training.get((id(graph), id(optimizer)))
        if step is None:
            step = self._training_step(graph, optimizer)
        given: dict[Hashable, Tensor] = cast(Any, inputs) if type(cast(Any, inputs)) is dict else dict(inputs)
        found = step(given, targets) if weights is None else step(given, targets, weights)
        if self._gradient_norm:
            found, self.last_gradient_norm = found
        return found

    def evaluate_step(
        self,
        graph: Graph,
        inputs: Mapping[Hashable, Tensor],
        targets: Tensor,
        *,
        weights: Tensor | None = None,
        ctx: RunContext | None = None,
    ) -> Evaluation:
        """Computes loss and output without a tape and with the module in evaluation; changes nothing.

        A module that is in evaluation already is left as it is; switching once before many steps saves time.

        Args:
            graph: the model's graph.
            inputs: tensor by graph input or its name.
            targets: what the loss compares the output with.
            weights: how much each row counts; see `Batch.weights`.
            ctx: may end the step before it starts.

        Returns:
            The loss and the output.

        Raises:
            CancelledError: the context is done.
            ArgumentError: inputs other than the graph's.
        """
        if ctx is not None:
            ctx.raise_if_done("evaluate_step")
        step = self._evaluation.get(id(graph))
        if step is None:
            step = self._evaluation_step(graph)
        given = _arguments(inputs, targets, weights)
        if not graph.module.training:
            return Evaluation(*step(*given))
        with evaluation_mode(graph.module):
            return Evaluation(*step(*given))

    def find_non_finite(
        self,
        graph: Graph,
        optimizer: Any,
        inputs: Mapping[Hashable, Tensor],
        targets: Tensor,
        *,
        weights: Tensor | None = None,
    ) -> NonFinite | None:
        """Says what made the first value that is not finite in a step; changes nothing.

        Args:
            graph: as in `train_step`, like the following.
            optimizer: of the graph's parameters.
            inputs: tensor by graph input or its name.
            targets: what the loss compares the output with.
            weights: how much each row counts.

        Returns:
            The op with file and line, or the input or parameter that came in so; None where all is finite, or where
            steps are not captured.

        Example:
            >>> import trainsmith as ts
            >>> from trainsmith import nn, optim
            >>> from trainsmith.training import DefaultTrainer, Graph
            >>> graph = Graph(nn.Linear(1, 1))
            >>> optimizer = optim.SGD(graph.parameters(), lr=0.1)
            >>> trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer)
            >>> y = ts.asarray([[float("nan")]])
            >>> print(trainer.find_non_finite(graph, optimizer, {"x": ts.ones((1, 1))}, y))
            nan in the targets, float32 (1, 1)
        """
        step = self._training.get((id(graph), id(optimizer))) or self._training_step(graph, optimizer)
        if not isinstance(step, Compiled):
            return None
        found = step.find_non_finite(*_arguments(inputs, targets, weights))
        if found is None or found.is_op:
            return found
        names = [f"input {getattr(key, 'name', key)}" for key in inputs] + ["the targets", "the weights"]
        arguments = {f"argument {place + 1}": name for place, name in enumerate(names)}
        return found._replace(source=arguments.get(found.source, found.source))

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot of what the trainer keeps from step to step, such as a loss scale.

        Graph and optimizer have snapshots of their own.

        Returns:
            `strategy`: the strategy's state; numbers, and tensors in nested mappings.
        """
        return {"strategy": state_of(self._strategy)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state_dict` gave.

        Args:
            state: the snapshot.
        """
        load_state(self._strategy, state["strategy"])

    def _training_step(self, graph: Graph, optimizer: Any) -> Callable[..., Any]:
        # The inputs are put in order here, where a captured step does it once, and not at every call.
        def train_step(inputs: dict[Hashable, Tensor], targets: Tensor, weights: Tensor | None = None) -> Any:
            ordered = zip((one.name for one in graph.inputs), graph.ordered(inputs), strict=True)
            batch = Batch(inputs=dict(ordered), targets=targets, weights=weights)
            optimizer.zero_grad()
            loss = self._strategy.compute_gradients(graph, self._loss, batch)
            norm = _norm(graph) if self._gradient_norm else None
            take_step(self._strategy, optimizer)
            for after in self._after:
                after()
            return loss if norm is None else (loss, norm)

        return _kept(self._training, (id(graph), id(optimizer)), self._prepared(train_step, self._check))

    def _evaluation_step(self, graph: Graph) -> Callable[..., Any]:
        @ts.no_grad()
        def evaluate_step(
            inputs: dict[Hashable, Tensor], targets: Tensor, weights: Tensor | None = None
        ) -> tuple[Tensor, Tensor]:
            output = graph(*graph.ordered(inputs))
            return objective(self._loss, output, targets, weights), output

        return _kept(self._evaluation, id(graph), self._prepared(evaluate_step))

    def _prepared(self, step: Callable[..., Any], check: int = 0) -> Callable[..., Any]:
        return ts.compile(step, check=check) if self._capture else step


def _arguments(inputs: Mapping[Hashable, Tensor], targets: Tensor, weights: Tensor | None) -> list[Any]:
    """Lists the arguments of a captured step; weights that do not exist are none of them."""
    return [dict(inputs), targets] if weights is None else [dict(inputs), targets, weights]


def _kept(steps: dict[Any, Callable[..., Any]], key: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps a step, which holds on to its graph and optimizer, so that their ids stay theirs."""
    while len(steps) >= MAX_STEPS:
        del steps[next(iter(steps))]
    steps[key] = step
    return step


@ts.no_grad()
def _norm(graph: Graph) -> Tensor:
    grads = [one.grad.detach() for one in graph.parameters() if one.grad is not None]
    return clip_by_norm(grads, 1.0, 2.0)[0]
