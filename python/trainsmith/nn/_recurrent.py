"""Recurrent layers: each layer and direction is one loop in the core."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, cast, final, overload

from trainsmith._arrays import asarray
from trainsmith._core import Parameter, Tensor, apply
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional, init
from trainsmith.nn._make import full, parameter, positive
from trainsmith.nn._module import Module
from trainsmith.nn.utils.rnn import PackedSequence, packed, places, unpacked


class AbstractRecurrent(Module):
    """What recurrent layers share: stacks, directions, parameters, the walk over the steps.

    Args:
        input_size: size of the last axis of inputs.
        hidden_size: H, size of the state.
        num_layers: layers on top of each other; each takes the outputs of the one below.
        bias: whether there are the summands b_ih and b_hh.
        batch_first: whether inputs and outputs have shape (n, steps, ...) instead of (steps, n, ...). States never do.
        dropout: share of the outputs of each layer but the last that is dropped in training.
        bidirectional: whether a second loop goes from the last step to the first; outputs lie beside each other.
        device: of the parameters.
        dtype: of the parameters, floating.
        proj_size: P, size of what an LSTM makes of its state in every step; 0 for none.

    Raises:
        ArgumentError: a size below 1, or `dropout` outside [0, 1].
    """

    gates: ClassVar[int]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        proj_size: int = 0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        positive(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= dropout <= 1:
            raise problem(ArgumentError, name, "dropout in [0, 1], the share of outputs to drop", str(dropout))
        if not 0 <= proj_size < hidden_size:
            raise problem(ArgumentError, name, f"proj_size in [0, {hidden_size}), below hidden_size", str(proj_size))
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.proj_size = proj_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        rows, state = type(self).gates * hidden_size, self._widths()[0]
        for suffix, layer, _ in self._loops():
            width = input_size if layer == 0 else state * self._directions()
            self.register_parameter(f"weight_ih_{suffix}", parameter((rows, width), dtype, device))
            self.register_parameter(f"weight_hh_{suffix}", parameter((rows, state), dtype, device))
            if bias:
                self.register_parameter(f"bias_ih_{suffix}", parameter((rows,), dtype, device))
                self.register_parameter(f"bias_hh_{suffix}", parameter((rows,), dtype, device))
            if proj_size:
                self.register_parameter(f"weight_hr_{suffix}", parameter((proj_size, hidden_size), dtype, device))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters uniformly from ±1/√H, from the default generator."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters(recurse=False):
            init.uniform_(weight, -bound, bound)

    def cell(self) -> str:
        """Gives the name of the core's cell."""
        raise NotImplementedError

    def _widths(self) -> tuple[int, int]:
        """Gives the sizes of the first state, which goes to the next layer, and of the second."""
        return self.proj_size or self.hidden_size, self.hidden_size

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _loops(self) -> Iterator[tuple[str, int, bool]]:
        """Yields suffix, layer and direction of each loop."""
        for layer, reverse in itertools.product(range(self.num_layers), range(self._directions())):
            yield f"l{layer}{'_reverse' if reverse else ''}", layer, bool(reverse)

    def walk(
        self, input: Tensor | PackedSequence, states: tuple[Tensor, ...] | None, count: int
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, ...]]:
        """Runs all layers.

        Args:
            input: shape (steps, n, input_size), (n, steps, input_size) with `batch_first`, or (steps, input_size); or
                packed.
            states: where each loop starts, `count` of shape (layers · directions, n, H), or without n; else zeros.
            count: number of states of a cell.

        Returns:
            Outputs of the last layer, packed where the input is, and the last states.

        Raises:
            ShapeError: shapes that do not fit.
        """
        if isinstance(input, PackedSequence):
            return self._walk_packed(input, states, count)
        batched = input.ndim == 3
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = "n, steps" if self.batch_first else "steps, n"
            rule = f"an input of shape ({order}, {self.input_size}) or (steps, {self.input_size})"
            raise problem(ShapeError, type(self).__name__, rule, str(input.shape))
        if not batched:
            input = _call("expand_dims", input, axis=1)
        elif self.batch_first:
            input = _call("permute_dims", input, axes=(1, 0, 2))
        held = self._states(input, states, count, batched)
        output, last = self._layers(input, held, None)
        if not batched:
            return _call("squeeze", output, axis=1), tuple(_call("squeeze", state, axis=1) for state in last)
        return _call("permute_dims", output, axes=(1, 0, 2)) if self.batch_first else output, last

    def _walk_packed(
        self, input: PackedSequence, states: tuple[Tensor, ...] | None, count: int
    ) -> tuple[PackedSequence, tuple[Tensor, ...]]:
        data = input.data
        if data.ndim != 2 or data.shape[1] != self.input_size:
            rule = f"packed data of shape (total, {self.input_size})"
            raise problem(ShapeError, type(self).__name__, rule, str(data.shape))
        index, seen = places(input)
        x = unpacked(data, index, seen)
        held = self._states(x, states, count, True)
        if states is not None and input.sorted_indices is not None:
            held = tuple(apply("take", (state, input.sorted_indices), {"axis": 1}) for state in held)
        output, last = self._layers(x, held, asarray(seen[..., None], device=data.device))
        if input.unsorted_indices is not None:
            last = tuple(apply("take", (state, input.unsorted_indices), {"axis": 1}) for state in last)
        return input._replace(data=packed(output, seen)), last

    def _states(
        self, input: Tensor, states: tuple[Tensor, ...] | None, count: int, batched: bool
    ) -> tuple[Tensor, ...]:
        loops = self.num_layers * self._directions()
        shapes = [(loops, input.shape[1], width) for width in self._widths()[:count]]
        if states is None:
            return tuple(full(0.0, shape, input.dtype, input.device) for shape in shapes)
        wanted = shapes if batched else [(loops, width) for _, _, width in shapes]
        if [state.shape for state in states] != wanted:
            got = ", ".join(str(state.shape) for state in states)
            rule = f"states of shape {' and '.join(map(str, wanted))}"
            raise problem(ShapeError, type(self).__name__, rule, got)
        return states if batched else tuple(_call("expand_dims", state, axis=1) for state in states)

    def _layers(self, x: Tensor, states: tuple[Tensor, ...], seen: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        last: list[tuple[Tensor, ...]] = []
        outputs: list[Tensor] = []
        for place, (suffix, layer, reverse) in enumerate(self._loops()):
            if layer and not reverse:
                x = functional.dropout(x, self.dropout, self.training)
            first = tuple(_call("squeeze", _picked(state, place), axis=0) for state in states)
            output, *new = self._loop(x, suffix, reverse, first, seen)
            outputs.append(output)
            last.append(tuple(new))
            if len(outputs) == self._directions():
                x = outputs[0] if len(outputs) == 1 else apply("concat", tuple(outputs), {"axis": 2})
                outputs = []
        stacked = tuple(
            apply("concat", tuple(_call("expand_dims", state, axis=0) for state in group), {"axis": 0})
            for group in zip(*last)
        )
        return x, stacked

    def _loop(
        self, x: Tensor, suffix: str, reverse: bool, states: tuple[Tensor, ...], seen: Tensor | None
    ) -> tuple[Tensor, ...]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights: tuple[Parameter | None, ...] = tuple(
            getattr(self, f"{name}_{suffix}") if self.bias or name.startswith("weight") else None for name in names
        )
        projection: Parameter | None = getattr(self, f"weight_hr_{suffix}") if self.proj_size else None
        options = {"cell": self.cell(), "reverse": reverse}
        return cast(tuple[Tensor, ...], apply("recurrent_layer", (x, *weights, *states, projection, seen), options))

    def extra_repr(self) -> str:
        """Names sizes and the options that differ from their defaults."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if not self.bias:
            parts.append("bias=False")
        if self.batch_first:
            parts.append("batch_first=True")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional:
            parts.append("bidirectional=True")
        return ", ".join(parts)


@final
class RNN(AbstractRecurrent):
    """Carries one state from step to step.

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu instead of tanh. Arguments as in `AbstractRecurrent`.

    Args:
        nonlinearity: `tanh` or `relu`.

    Attributes:
        weight_ih_l0: W_ih of the first layer, shape (H, input_size); l1, l2, ... of the others, shape
            (H, directions · H); `_reverse` at the end for the second direction.
        weight_hh_l0: W_hh, shape (H, H).
        bias_ih_l0: b_ih, shape (H,).
        bias_hh_l0: b_hh, shape (H,).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> output, state = nn.RNN(3, 4)(ts.ones((5, 2, 3)))
        >>> output.shape, state.shape
        ((5, 2, 4), (1, 2, 4))

    Source: Elman 1990.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise problem(ArgumentError, "RNN", "nonlinearity tanh or relu", repr(nonlinearity))
        options = (num_layers, bias, batch_first, dropout, bidirectional, device, dtype)
        super().__init__(input_size, hidden_size, *options)
        self.nonlinearity = nonlinearity

    def cell(self) -> str:
        """Gives the name of the core's cell."""
        return self.nonlinearity

    @overload
    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(self, input: PackedSequence, hx: Tensor | None = None) -> tuple[PackedSequence, Tensor]: ...
    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Gives outputs (steps, n, directions · H), packed where the input is, and last states (loops, n, H)."""
        output, (state,) = self.walk(input, None if hx is None else (hx,), 1)
        return output, state


@final
class LSTM(AbstractRecurrent):
    """Carries a state and a memory, which gates keep, from step to step.

    i, f, o = σ(W x_t + b + W' h_{t-1} + b'), g = tanh(...), each with rows of its own; c_t = f c_{t-1} + i g;
    h_t = o tanh(c_t), or R o tanh(c_t) with a projection. Arguments as in `AbstractRecurrent`.

    Args:
        proj_size: P, rows of R; 0 for no projection.

    Attributes:
        weight_ih_l0: W of i, f, g and o, one after the other, shape (4H, input_size); l1, l2, ... of the other layers,
            shape (4H, directions · H); `_reverse` at the end for the second direction.
        weight_hh_l0: W', shape (4H, H), or (4H, P).
        bias_ih_l0: b, shape (4H,).
        bias_hh_l0: b', shape (4H,).
        weight_hr_l0: R, shape (P, H), with a projection alone.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> output, (state, memory) = nn.LSTM(3, 4, batch_first=True)(ts.ones((2, 5, 3)))
        >>> output.shape, state.shape, memory.shape
        ((2, 5, 4), (1, 2, 4), (1, 2, 4))

    Source: Hochreiter and Schmidhuber 1997; forget gate of Gers, Schmidhuber and Cummins 2000; projection of
    Sak, Senior and Beaufays 2014.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional, device, dtype, proj_size)
        super().__init__(input_size, hidden_size, *options)

    def cell(self) -> str:
        """Gives the name of the core's cell."""
        return "lstm"

    @overload
    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...
    @overload
    def forward(
        self, input: PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[PackedSequence, tuple[Tensor, Tensor]]: ...
    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Gives outputs (steps, n, directions · H), packed where the input is, and last states and memories.

        Both are (layers · directions, n, H). With `proj_size`, outputs and states have P in place of H.
        """
        output, (state, memory) = self.walk(input, hx, 2)
        return output, (state, memory)


@final
class GRU(AbstractRecurrent):
    """Carries a state, which gates reset and update, from step to step.

    r, z = σ(W x_t + b + W' h_{t-1} + b'), n = tanh(W_n x_t + b_n + r (W'_n h_{t-1} + b'_n));
    h_t = (1 - z) n + z h_{t-1}. Arguments as in `AbstractRecurrent`.

    Attributes:
        weight_ih_l0: W of r, z and n, one after the other, shape (3H, input_size); l1, l2, ... of the other layers,
            shape (3H, directions · H); `_reverse` at the end for the second direction.
        weight_hh_l0: W', shape (3H, H).
        bias_ih_l0: b, shape (3H,).
        bias_hh_l0: b', shape (3H,).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> output, state = nn.GRU(3, 4, bidirectional=True)(ts.ones((5, 2, 3)))
        >>> output.shape, state.shape
        ((5, 2, 8), (2, 2, 4))

    Source: Cho et al. 2014; r after the product, as in torch.
    """

    gates = 3

    def cell(self) -> str:
        """Gives the name of the core's cell."""
        return "gru"

    @overload
    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(self, input: PackedSequence, hx: Tensor | None = None) -> tuple[PackedSequence, Tensor]: ...
    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Gives outputs (steps, n, directions · H), packed where the input is, and last states (loops, n, H)."""
        output, (state,) = self.walk(input, None if hx is None else (hx,), 1)
        return output, state


def _call(name: str, x: Tensor, **options: Any) -> Tensor:
    return cast(Tensor, apply(name, (x,), options))


def _picked(x: Tensor, place: int) -> Tensor:
    sizes = (1, *x.shape[1:])
    return _call("slice", x, starts=(place, *[0] * (x.ndim - 1)), sizes=sizes, steps=(1,) * x.ndim)
