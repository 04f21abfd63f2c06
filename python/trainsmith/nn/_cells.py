"""One step of recurrent layers."""

import math
from typing import ClassVar, Literal, cast, final

from trainsmith._core import Parameter, Tensor, apply
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import init
from trainsmith.nn._make import full, parameter, positive
from trainsmith.nn._module import Module


class AbstractCell(Module):
    """What cells share: parameters and one step.

    Args:
        input_size: size of the last axis of inputs.
        hidden_size: H, size of the state.
        bias: whether there are the summands b_ih and b_hh.
        device: of the parameters.
        dtype: of the parameters, floating.

    Raises:
        ArgumentError: a size below 1.
    """

    gates: ClassVar[int]
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = type(self).gates * hidden_size
        self.weight_ih = parameter((rows, input_size), dtype, device)
        self.weight_hh = parameter((rows, hidden_size), dtype, device)
        self.register_parameter("bias_ih", parameter((rows,), dtype, device) if bias else None)
        self.register_parameter("bias_hh", parameter((rows,), dtype, device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters uniformly from ±1/√H, from the default generator."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters(recurse=False):
            init.uniform_(weight, -bound, bound)

    def step(self, cell: str, input: Tensor, states: tuple[Tensor, ...] | None, count: int) -> tuple[Tensor, ...]:
        """Gives the states after an input of shape (n, input_size) or (input_size,).

        Raises:
            ShapeError: shapes that do not fit.
        """
        batched = input.ndim == 2
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            rule = f"an input of shape (n, {self.input_size}) or ({self.input_size},)"
            raise problem(ShapeError, type(self).__name__, rule, str(input.shape))
        shape = (*input.shape[:-1], self.hidden_size)
        held = (full(0.0, shape, input.dtype, input.device),) * count if states is None else states
        if len(held) != count or any(state.shape != shape for state in held):
            got = ", ".join(str(state.shape) for state in held)
            raise problem(ShapeError, type(self).__name__, f"{count} states of shape {shape}", got)
        given = (input, *held) if batched else tuple(one.reshape((1, -1)) for one in (input, *held))
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        found = apply("recurrent_cell", (given[0], *weights, *given[1:]), {"cell": cell})
        new = (found,) if isinstance(found, Tensor) else found
        return new if batched else tuple(state.reshape((-1,)) for state in new)

    def extra_repr(self) -> str:
        """Names the sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


@final
class RNNCell(AbstractCell):
    """Gives the next state; one step of `RNN`.

    h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu instead of tanh. Arguments as in `AbstractCell`.

    Args:
        nonlinearity: `tanh` or `relu`.

    Attributes:
        weight_ih: W_ih, shape (H, input_size).
        weight_hh: W_hh, shape (H, H).
        bias_ih: b_ih, shape (H,), or None.
        bias_hh: b_hh, shape (H,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.RNNCell(3, 4)(ts.ones((2, 3))).shape
        (2, 4)

    Source: Elman 1990.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise problem(ArgumentError, "RNNCell", "nonlinearity tanh or relu", repr(nonlinearity))
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Gives the state of shape (n, H) after an input of shape (n, input_size); n may be left out."""
        return self.step(self.nonlinearity, input, None if hx is None else (hx,), 1)[0]


@final
class LSTMCell(AbstractCell):
    """Gives the next state and memory; one step of `LSTM`. Arguments as in `AbstractCell`.

    Attributes:
        weight_ih: shape (4H, input_size), the rows of i, f, g and o one after the other.
        weight_hh: shape (4H, H).
        bias_ih: shape (4H,), or None.
        bias_hh: shape (4H,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> state, memory = nn.LSTMCell(3, 4)(ts.ones((2, 3)))
        >>> state.shape, memory.shape
        ((2, 4), (2, 4))

    Source: Hochreiter and Schmidhuber 1997; forget gate of Gers, Schmidhuber and Cummins 2000.
    """

    gates = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Gives state and memory of shape (n, H) after an input of shape (n, input_size); n may be left out."""
        return cast(tuple[Tensor, Tensor], self.step("lstm", input, hx, 2))


@final
class GRUCell(AbstractCell):
    """Gives the next state; one step of `GRU`. Arguments as in `AbstractCell`.

    Attributes:
        weight_ih: shape (3H, input_size), the rows of r, z and n one after the other.
        weight_hh: shape (3H, H).
        bias_ih: shape (3H,), or None.
        bias_hh: shape (3H,), or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.GRUCell(3, 4)(ts.ones((2, 3))).shape
        (2, 4)

    Source: Cho et al. 2014; r after the product, as in torch.
    """

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Gives the state of shape (n, H) after an input of shape (n, input_size); n may be left out."""
        return self.step("gru", input, None if hx is None else (hx,), 1)[0]
