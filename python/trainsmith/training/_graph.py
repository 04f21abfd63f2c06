"""A model with named, checked inputs: what trainers and strategies work on."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Self, cast

from trainsmith import nn
from trainsmith._core import Parameter, Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError, GraphError
from trainsmith.nn._backward import backward_through
from trainsmith.training._input import Input


class Graph:
    """A module with named inputs. It is a `Model`: `forward`, `backward` and `parameters`.

    Args:
        module: takes one tensor per input, in their order, and gives the output. A recurrent one takes a state after
            them, None for its start, and gives the output and the next state, as `nn.GRU` does.
        inputs: the inputs; by default one, `x`, that takes any tensor.
        recurrent: whether the module is recurrent; the output alone is the graph's output then.

    Raises:
        ArgumentError: no module, no input, or two inputs of one name.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Graph, Input
        >>> graph = Graph(nn.Linear(3, 1), inputs=[Input("x", ts.float32, shape=(None, 3))])
        >>> graph(ts.zeros((5, 3))).shape
        (5, 1)
        >>> graph(ts.zeros((5, 4)))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        trainsmith.errors.ShapeError: graph: input 'x' must have its shape; expected (None, 3), None being free, got ...
    """

    def __init__(
        self, module: Callable[..., Any], inputs: Sequence[Input] | None = None, *, recurrent: bool = False
    ) -> None:
        declared = (Input("x"),) if inputs is None else tuple(inputs)
        names = [getattr(one, "name", None) for one in declared]
        good = isinstance(module, nn.Module) and all(isinstance(cast(Any, one), Input) for one in declared)
        if not good or not declared or len(set(names)) < len(names):
            raise worded(
                ArgumentError,
                "graph",
                "a graph needs a module and inputs with different names",
                expected="an nn.Module and at least one Input",
                got=f"{type(module).__name__} and {shown(declared)}",
                step='write Graph(module, inputs=[Input("x")])',
            )
        self._module = cast(nn.Module, module)
        self._inputs = declared
        self._names = [one.name for one in declared]
        self._recurrent = recurrent
        self._last: tuple[tuple[Tensor, ...], Tensor] | None = None

    @property
    def module(self) -> nn.Module:
        """The module."""
        return self._module

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs in the order of the module's arguments: the keys of `Batch.inputs`."""
        return self._inputs

    @property
    def recurrent(self) -> bool:
        """Whether the module takes and gives a state."""
        return self._recurrent

    def parameters(self) -> Iterator[Parameter]:
        """Yields the module's parameters, each once, always in the same order."""
        return self._module.parameters()

    def ordered(self, inputs: Mapping[Any, Tensor]) -> list[Tensor]:
        """Puts inputs in the order of the module's arguments.

        Args:
            inputs: tensor by input or its name.

        Returns:
            One tensor per input.

        Raises:
            ArgumentError: an input is missing, or a key is no input.
        """
        try:
            found = [inputs[name] for name in self._names]
        except KeyError:
            raise self._misnamed(inputs) from None
        if len(inputs) != len(found):
            raise self._misnamed(inputs)
        return found

    def check(self, *inputs: Tensor) -> None:
        """Refuses inputs that the module is not declared to take.

        Args:
            inputs: one tensor per input, in order.

        Raises:
            ArgumentError: another number of inputs.
            DTypeError: another dtype.
            ShapeError: another shape.
        """
        if len(inputs) != len(self._inputs):
            raise worded(
                ArgumentError,
                "graph",
                "each input needs a tensor",
                expected=f"{len(self._inputs)} tensors for {', '.join(self._names)}",
                got=str(len(inputs)),
                step="pass one tensor per input, in order",
            )
        for declared, value in zip(self._inputs, inputs, strict=True):
            declared.check(value)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Computes the output, as `forward` does, but keeps nothing for `backward`."""
        self.check(*inputs)
        output = self._module(*inputs)
        return cast(Tensor, output[0] if self._recurrent else output)

    def advance(self, state: Any, *inputs: Tensor) -> tuple[Tensor, Any]:
        """Applies a recurrent module once.

        Args:
            state: the state before; None starts.
            inputs: one tensor per input, in order.

        Returns:
            The output and the state after.

        Raises:
            GraphError: the graph is not recurrent.
        """
        if not self._recurrent:
            raise worded(
                GraphError,
                "graph",
                "only a recurrent graph has a state",
                expected="Graph(module, ..., recurrent=True)",
                got="recurrent=False",
                step="declare it, with a module that takes and gives a state",
            )
        self.check(*inputs)
        output, after = self._module(*inputs, state)
        return output, after

    def forward(self, *inputs: Tensor) -> Tensor:
        """Computes the output and keeps it for `backward`.

        Args:
            inputs: one tensor per input, in order.

        Returns:
            The output.

        Raises:
            ArgumentError: another number of inputs.
            DTypeError: another dtype.
            ShapeError: another shape.
        """
        output = self(*inputs)
        self._last = (inputs, output) if output.requires_grad else None
        return output

    def backward(self, grad: Tensor, *inputs: Tensor) -> tuple[Tensor | None, ...]:
        """Adds to the gradients of the parameters and gives those of the inputs.

        Args:
            grad: derivative of the loss with respect to the output, its shape.
            inputs: computes the output of these first. Without them, the output of the last `forward` is used, once.

        Returns:
            One gradient per input. None where an input is not floating, and without `inputs` also where it does not
            require a gradient.

        Raises:
            GraphError: no inputs, and no `forward` under gradients since the last `backward`.
        """
        if inputs:
            return backward_through(self, grad, inputs)
        if self._last is None:
            raise worded(
                GraphError,
                "graph.backward",
                "backward follows a forward under gradients",
                expected="forward(...) first, or the inputs as arguments",
                got="neither",
                step="call forward again, as backward frees its tape",
            )
        given, output = self._last
        self._last = None
        output.backward(grad)
        return tuple(one.grad if one.requires_grad and one.is_leaf else None for one in given)

    def train(self, mode: bool = True) -> Self:
        """Switches the module to training, or with False to evaluation."""
        self._module.train(mode)
        return self

    def eval(self) -> Self:
        """Switches the module to evaluation."""
        return self.train(False)

    def state_dict(self) -> dict[str, Tensor]:
        """Takes a snapshot of the module's parameters and buffers."""
        return self._module.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> None:
        """Copies values into the module's parameters and buffers; see `nn.Module.load_state_dict`."""
        self._module.load_state_dict(state_dict, strict)

    def __repr__(self) -> str:
        return f"Graph({self._module!r}, inputs={list(self._inputs)})"

    def _misnamed(self, inputs: Mapping[Any, Tensor]) -> ArgumentError:
        keys: list[Hashable] = [one.name if isinstance(one, Input) else one for one in inputs]
        missing = [name for name in self._names if name not in keys]
        extra = [shown(key) for key in keys if key not in self._names]
        got = [f"no {', '.join(missing)}"] if missing else []
        got += [f"{', '.join(extra)} too"] if extra else []
        return worded(
            ArgumentError,
            "graph",
            "a batch must have exactly the graph's inputs",
            expected=", ".join(self._names),
            got=" and ".join(got),
            step="name the batch's tensors as the graph names its inputs",
        )
