"""Laws of trainers, models with their own gradients, and gradient strategies."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith.testing._law import equal, is_number, law, refuses_cancelled, snapshot
from trainsmith.training import Batch, GradientStrategy, Model, Trainer


def check_trainer(
    trainer: Trainer,
    *,
    graph: Any,
    optimizer: Any,
    inputs: Mapping[Hashable, ts.Tensor],
    targets: ts.Tensor,
    steps: int = 20,
) -> None:
    """Checks the laws of a `Trainer`.

    Args:
        trainer: the trainer.
        graph: a graph with parameters.
        optimizer: of those parameters, with a rate at which the loss of one batch falls.
        inputs: tensor by input.
        targets: the targets.
        steps: steps after which the loss must have fallen.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_trainer
        >>> check_trainer(object(), graph=None, optimizer=None, inputs={}, targets=None)
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a trainer has train_step
    """
    law(isinstance(cast(Any, trainer), Trainer), "a trainer has train_step")
    before = snapshot(graph.parameters)
    refuses_cancelled(lambda ctx: trainer.train_step(graph, optimizer, inputs, targets, ctx=ctx), "train_step")
    law(equal(before, snapshot(graph.parameters)), "a cancelled step changes no parameter")
    losses: list[float] = []
    for _ in range(max(2, steps)):
        loss = trainer.train_step(graph, optimizer, inputs, targets)
        law(is_number(loss), "train_step returns a finite loss", loss)
        losses.append(float(loss))
    law(not equal(before, snapshot(graph.parameters)), "a step changes the parameters")
    law(losses[-1] < losses[0], f"the loss of one batch falls within {len(losses)} steps", (losses[0], losses[-1]))


def check_gradient_strategy(strategy: GradientStrategy, *, graph: Any, loss: Any, batch: Batch) -> None:
    """Checks the laws of a `GradientStrategy`.

    Args:
        strategy: the strategy.
        graph: a graph with parameters; all that need a gradient take part in the output.
        loss: a loss module or function.
        batch: inputs and targets.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_gradient_strategy
        >>> check_gradient_strategy(object(), graph=None, loss=None, batch=None)
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a strategy has compute_gradients
    """
    law(isinstance(cast(Any, strategy), GradientStrategy), "a strategy has compute_gradients")
    trained = [one for one in _parameters(graph) if one.requires_grad]
    for parameter in trained:
        parameter.grad = None
    before = snapshot(graph.parameters)
    value = strategy.compute_gradients(graph, loss, batch)
    law(is_number(value), "compute_gradients returns a finite loss", value)
    law(equal(before, snapshot(graph.parameters)), "computing gradients changes no parameter")
    missing = [number for number, one in enumerate(trained) if one.grad is None]
    law(not missing, "every parameter that requires a gradient has one", f"none for numbers {missing}")
    first = [np.array(one.grad) for one in trained]
    strategy.compute_gradients(graph, loss, batch)
    second = [np.array(one.grad) for one in trained]
    law(
        all(np.allclose(2 * one, two, rtol=1e-4, atol=1e-6) for one, two in zip(first, second, strict=True)),
        "gradients add up until they are cleared",
    )
    for parameter in trained:
        parameter.grad = None
    refuses_cancelled(lambda ctx: strategy.compute_gradients(graph, loss, batch, ctx=ctx), "compute_gradients")


def check_model(model: Model, *inputs: ts.Tensor, step: float = 1e-5, rtol: float = 1e-4) -> None:
    """Checks the laws of a `Model`: `backward` is the derivative of `forward`, and adds up.

    Args:
        model: a deterministic model in float64, smooth at the inputs.
        inputs: its inputs, float64.
        step: of the central difference.
        rtol: largest relative difference.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_model
        >>> check_model(object())
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a model has forward, backward and parameters
    """
    law(isinstance(cast(Any, model), Model), "a model has forward, backward and parameters")
    parameters = list(model.parameters())
    law(
        [id(one) for one in parameters] == [id(one) for one in model.parameters()],
        "parameters() gives the same parameters in the same order",
    )
    output = np.array(model.forward(*inputs))
    law(equal([output], [np.array(model.forward(*inputs))]), "forward is deterministic")
    generator = np.random.default_rng(0)
    upstream = ts.asarray(generator.uniform(0.25, 1.0, output.shape))
    for parameter in parameters:
        parameter.grad = None
    grads = model.backward(upstream, *inputs)
    law(len(grads) == len(inputs), "backward returns one gradient per input", len(grads))
    found = [np.array(one.grad) for one in parameters if one.grad is not None]
    model.backward(upstream, *inputs)
    law(
        all(
            np.allclose(2 * one, np.array(parameter.grad), rtol=1e-9, atol=1e-12)
            for one, parameter in zip(found, [one for one in parameters if one.grad is not None], strict=True)
        ),
        "gradients of parameters add up until they are cleared",
    )
    for number, (value, grad) in enumerate(zip(inputs, grads, strict=True)):
        if grad is not None:
            law(tuple(grad.shape) == tuple(value.shape), "a gradient has the shape of its input", tuple(grad.shape))
            others = list(inputs)

            def moved(array: npt.NDArray[Any], number: int = number, others: list[Any] = others) -> Any:
                return model.forward(*others[:number], ts.asarray(array), *others[number + 1 :])

            _compare(np.array(value), np.array(grad), moved, upstream, step, rtol, f"input {number}")
    for number, parameter in enumerate(one for one in parameters if one.grad is not None):
        start = np.array(parameter)

        def changed(array: npt.NDArray[Any], parameter: Any = parameter) -> Any:
            parameter.copy_(ts.asarray(array))
            return model.forward(*inputs)

        _compare(start, found[number], changed, upstream, step, rtol, f"parameter {number}")
        parameter.copy_(ts.asarray(start))
        parameter.grad = None


def _compare(
    start: npt.NDArray[Any],
    grad: npt.NDArray[Any],
    output_of: Any,
    upstream: ts.Tensor,
    step: float,
    rtol: float,
    name: str,
) -> None:
    """States that the slope along one random direction is what the gradient says."""
    direction = np.random.default_rng(1).normal(size=start.shape)
    weights = np.array(upstream)
    above, below = (float((np.array(output_of(start + sign * step * direction)) * weights).sum()) for sign in (1, -1))
    slope, said = (above - below) / (2 * step), float((grad * direction).sum())
    law(
        abs(slope - said) <= rtol * max(1.0, abs(slope)),
        f"backward is the derivative of forward for {name}",
        (said, slope),
    )


def _parameters(graph: Any) -> Sequence[Any]:
    found: Any = graph.parameters
    return list(cast(Iterable[Any], found() if callable(found) else found))
