"""How tensors show themselves."""

import numpy as np

from trainsmith._core import Buffer, Parameter, Tensor
from trainsmith._exchange import widened, words
from trainsmith._problem import problem
from trainsmith.errors import DTypeError, GraphError


def show(x: Tensor) -> str:
    """Answers `repr(x)`: elements, dtype, and what is out of the ordinary.

    A tensor without elements yet, inside a compiled function, shows its shape instead.
    """
    name = "Parameter" if isinstance(x, Parameter) else "Buffer" if isinstance(x, Buffer) else "tensor"
    notes = [f"dtype={x.dtype}"]
    if x.device != "cpu":
        notes.append(f"device={x.device!r}")
    if x.requires_grad != isinstance(x, Parameter):
        notes.append(f"requires_grad={x.requires_grad}")
    try:
        body = np.array2string(words(widened(x)), separator=", ", prefix=f"{name}(")
    except GraphError:
        body = f"shape={x.shape}"
    if x.size == 0:
        body = f"{body}, shape={x.shape}" if x.ndim > 1 else body
    return f"{name}({body}, {', '.join(notes)})"


def formatted(x: Tensor, spec: str) -> str:
    """Answers `format(x, spec)`: a 0-d tensor as its number.

    Raises:
        DTypeError: a format for a tensor with axes.
    """
    if x.ndim == 0:
        return format(x.item(), spec)
    if spec:
        raise problem(DTypeError, "format", "a 0-d tensor; format its elements one by one", f"shape {x.shape}")
    return show(x)
