"""Gradients of a model with respect to its parameters and inputs."""

from collections.abc import Callable, Sequence

from trainsmith._autograd import enable_grad, no_grad
from trainsmith._core import Tensor, gradients, watch


def backward_through(
    function: Callable[..., Tensor], grad: Tensor, inputs: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    """Computes an output and differentiates it.

    Args:
        function: the model.
        grad: derivative of the loss with respect to the output, its shape.
        inputs: of the model.

    Returns:
        One gradient per input, zeros where it has no influence, None where it is not floating. Gradients of parameters
        are added to theirs.
    """
    with enable_grad():
        given = [watch(one.detach()) if one.dtype.is_floating else one for one in inputs]
        output = function(*given)
    watched = [one for one in given if one.dtype.is_floating]
    with no_grad():
        found = iter(gradients([output], [grad], watched))
    output.backward(grad)
    return tuple(next(found) if one.dtype.is_floating else None for one in given)
