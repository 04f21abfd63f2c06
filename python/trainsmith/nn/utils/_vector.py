"""All parameters as one vector, and back."""

import math
from collections.abc import Iterable

from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Joins the elements of all parameters; gradients flow through.

    Args:
        parameters: at least one; dtypes promote.

    Returns:
        Shape (number of all elements,).

    Raises:
        ArgumentError: no parameter.

    Example:
        >>> from trainsmith import nn
        >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
        (8,)
    """
    tensors = tuple(parameters)
    if not tensors:
        raise problem(ArgumentError, "parameters_to_vector", "at least one parameter", "none")
    return apply("concat", tensors, {"flatten": True})


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Writes the elements of a vector into the parameters, in order.

    Args:
        vec: shape (number of all elements,).
        parameters: what is written.

    Raises:
        ShapeError: another number of elements; then nothing is written.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.Linear(1, 1)
        >>> nn.utils.vector_to_parameters(ts.asarray([2.0, 3.0]), layer.parameters())
        >>> float(layer.weight), float(layer.bias)
        (2.0, 3.0)
    """
    tensors = tuple(parameters)
    total = sum(math.prod(tensor.shape) for tensor in tensors)
    if vec.shape != (total,):
        raise problem(ShapeError, "vector_to_parameters", f"a vector of shape ({total},)", str(vec.shape))
    start = 0
    for tensor in tensors:
        size = math.prod(tensor.shape)
        part = apply("slice", (vec.detach(),), {"starts": (start,), "sizes": (size,), "steps": (1,)})
        tensor.copy_(apply("reshape", (part,), {"shape": tensor.shape}))
        start += size
