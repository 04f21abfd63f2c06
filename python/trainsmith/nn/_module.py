"""The base of all layers and models."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, cast

from trainsmith import _core
from trainsmith._core import Buffer, DType, Parameter, Tensor
from trainsmith._core import dtype as dtype_of
from trainsmith._guards import touch
from trainsmith.nn._backward import backward_through
from trainsmith.nn._convert import convert
from trainsmith.nn._hooks import RemovableHandle
from trainsmith.nn._parameter import clear_grad
from trainsmith.nn._slots import Slots, quoted, require_kind
from trainsmith.nn._state import LoadResult, name_parameter, read_state, write_state

_numbers = itertools.count()


class Module(Slots):
    """A function with state: parameters, buffers and sub-modules, which are found as its attributes.

    Subclasses call `super().__init__()`, assign layers and parameters to attributes, and define `forward`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> class Scale(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = nn.Parameter(ts.asarray(2.0))
        ...     def forward(self, x):
        ...         return self.factor * x
        >>> float(Scale()(ts.asarray(3.0)))
        6.0
    """

    _pre_hooks: dict[int, tuple[Callable[..., Any], bool]]
    _hooks: dict[int, tuple[Callable[..., Any], bool]]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs; every subclass defines it. Call the module itself, which runs the hooks too."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _core.recording():
            touch(self)
        if not self._pre_hooks and not self._hooks:
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook, with_kwargs in list(self._pre_hooks.values()):
            given = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if given is not None and with_kwargs:
                args, kwargs = given
            elif given is not None:
                args = cast(tuple[Any, ...], given) if isinstance(given, tuple) else (given,)
        output = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._hooks.values()):
            given = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
            output = output if given is None else given
        return output

    def backward(self, grad: Tensor, *inputs: Tensor) -> tuple[Tensor | None, ...]:
        """Computes the output of inputs, adds to the gradients of the parameters and gives those of the inputs.

        Args:
            grad: derivative of the loss with respect to the output, its shape.
            inputs: of `forward`.

        Returns:
            One gradient per input; None for one that is not floating.

        Example:
            >>> import trainsmith as ts
            >>> from trainsmith import nn
            >>> layer = nn.Linear(2, 1, bias=False)
            >>> grads = layer.backward(ts.asarray([[1.0]]), ts.asarray([[3.0, 4.0]]))
            >>> layer.weight.grad.tolist(), grads[0].shape
            ([[3.0, 4.0]], (1, 2))
        """
        return backward_through(self, grad, inputs)

    def _guard(self) -> tuple[int, bool]:
        """Gives what a captured step that used this module depends on."""
        return self._version, self.training

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Adds a function that runs before `forward`.

        Args:
            hook: called as `hook(module, args)`, or `hook(module, args, kwargs)`. What it returns replaces the
                arguments: one value or a tuple, or with `with_kwargs` a pair (args, kwargs); None leaves them.
            prepend: whether it runs before the hooks there are.
            with_kwargs: whether it takes keyword arguments.

        Returns:
            A handle that removes it.
        """
        return self._add_hook("_pre_hooks", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Adds a function that runs after `forward`.

        Args:
            hook: called as `hook(module, args, output)`, or `hook(module, args, kwargs, output)`. What it returns
                replaces the output; None leaves it.
            prepend: whether it runs before the hooks there are.
            with_kwargs: whether it takes keyword arguments.

        Returns:
            A handle that removes it.
        """
        return self._add_hook("_hooks", hook, prepend, with_kwargs)

    def _add_hook(self, kind: str, hook: Callable[..., Any], prepend: bool, with_kwargs: bool) -> RemovableHandle:
        number = next(_numbers)
        held = self.__dict__[kind]
        entry = {number: (hook, with_kwargs)}
        self.__dict__[kind] = {**entry, **held} if prepend else {**held, **entry}
        self.mark_changed()

        def remove() -> None:
            if self.__dict__[kind].pop(number, None) is not None:
                self.mark_changed()

        return RemovableHandle(remove)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Adds a sub-module, found later as an attribute.

        Args:
            name: without dots, not an attribute yet.
            module: the module; None keeps the name for an absent one.

        Raises:
            ArgumentError: the name is taken or has a dot, or `module` is no Module.
        """
        require_kind(self, name, module, Module, "a Module or None")
        self._register("_modules", name, module)

    register_module = add_module

    def named_modules(self, memo: set[int] | None = None, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Yields this module and all below it with dotted names, each module once."""
        seen = set[int]() if memo is None else memo
        if id(self) in seen:
            return
        seen.add(id(self))
        if _core.recording():
            touch(self)
        yield prefix, self
        for name, child in self._modules.items():
            if isinstance(child, Module):
                yield from child.named_modules(seen, f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator["Module"]:
        """Yields this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yields the direct sub-modules with their names, each once."""
        seen = set[int]()
        for name, child in self._modules.items():
            if isinstance(child, Module) and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator["Module"]:
        """Yields the direct sub-modules, each once."""
        return (child for _, child in self.named_children())

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yields the parameters with dotted names, each once.

        Args:
            prefix: put before each name, with a dot.
            recurse: whether to yield those of sub-modules too.
        """
        for name, param in self._named("_parameters", prefix, recurse):
            name_parameter(param, name)
            yield name, param

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yields the parameters, each once, as optimizers take them."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Buffer]]:
        """Yields the buffers with dotted names, each once."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Buffer]:
        """Yields the buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(self, kind: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen = set[int]()
        for path, module in self.named_modules(prefix=prefix):
            if not recurse and module is not self:
                return
            for name, cell in module.__dict__[kind].items():
                if cell is not None and id(cell) not in seen:
                    seen.add(id(cell))
                    yield f"{path}.{name}" if path else name, cell

    def get_submodule(self, target: str) -> "Module":
        """Finds a module below this one by its dotted name; the empty name is this module.

        Raises:
            AttributeError: there is none of this name.
        """
        found: Module = self
        for name in target.split(".") if target else ():
            child = found._modules.get(name)
            if not isinstance(child, Module):
                known = quoted(list(found._modules))
                raise AttributeError(f"{type(found).__name__} has no sub-module {name!r}; it has {known}")
            found = child
        return found

    def get_parameter(self, target: str) -> Parameter:
        """Finds a parameter by its dotted name.

        Raises:
            AttributeError: there is none of this name.
        """
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        param = owner._parameters.get(name)
        if param is None:
            raise AttributeError(
                f"{type(owner).__name__} has no parameter {name!r}; it has {quoted(list(owner._parameters))}"
            )
        return param

    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """Takes a snapshot of parameters and persistent buffers, all between the same two steps.

        Args:
            prefix: put before each name.

        Returns:
            Tensors by dotted name, as torch names them. Later steps do not change them.

        Raises:
            GraphError: inside a compiled function.

        Example:
            >>> from trainsmith import nn
            >>> list(nn.Sequential(nn.Linear(2, 3), nn.ReLU()).state_dict())
            ['0.weight', '0.bias']
        """
        return read_state(self, prefix)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copies values into the parameters and buffers, all of them or, after an error, none.

        Args:
            state_dict: tensors or NumPy arrays by dotted name. Floats are converted to the dtype that is there.
            strict: whether a name that is missing or unexpected is an error.

        Returns:
            The missing and the unexpected names.

        Raises:
            ShapeError: shapes or kinds of dtype that differ; all of them are listed.
            ArgumentError: names that differ, with all other problems.
            GraphError: inside a compiled function.

        Example:
            >>> from trainsmith import nn
            >>> one, two = nn.Linear(2, 3), nn.Linear(2, 3)
            >>> one.load_state_dict(two.state_dict())
            LoadResult(missing_keys=[], unexpected_keys=[])
        """
        return write_state(self, state_dict, strict)

    def train(self, mode: bool = True) -> Self:
        """Switches this module and all below it to training, which `Dropout` and `BatchNorm1d` heed."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switches this module and all below it to evaluation."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Says for all parameters whether they are trained."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters.

        Args:
            set_to_none: whether to drop them; otherwise those that exist become zeros.
        """
        for param in self.parameters():
            clear_grad(param, set_to_none)

    def apply(self, fn: Callable[["Module"], object]) -> Self:
        """Calls a function with each module below this one, then with this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *args: DType | str, dtype: DType | None = None, device: str | None = None) -> Self:
        """Changes dtype and device of all parameters and buffers.

        Parameters that change become new objects: make the optimizer afterwards.

        Args:
            args: a dtype, a device, or both.
            dtype: for floating parameters and buffers; others keep theirs.
            device: such as `cpu` or `gpu`.

        Returns:
            This module.

        Raises:
            DTypeError: a dtype that is not floating.
            DeviceError: a device that is absent.

        Example:
            >>> import trainsmith as ts
            >>> from trainsmith import nn
            >>> nn.Linear(2, 1).to(ts.float64).weight.dtype
            trainsmith.float64
        """
        for argument in args:
            if isinstance(argument, DType):
                dtype = argument
            else:
                device = argument
        convert(self, dtype, device)
        return self

    def float(self) -> Self:
        """Changes floating parameters and buffers to float32."""
        return self.to(dtype_of("float32"))

    def double(self) -> Self:
        """Changes floating parameters and buffers to float64."""
        return self.to(dtype_of("float64"))

    def half(self) -> Self:
        """Changes floating parameters and buffers to float16."""
        return self.to(dtype_of("float16"))

    def extra_repr(self) -> str:
        """Gives what stands between the brackets of this module's line in `repr`."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        return "\n  ".join([f"{type(self).__name__}(", *([extra] if extra else []), *lines]) + "\n)"
