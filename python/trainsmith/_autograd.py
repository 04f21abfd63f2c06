"""Gradients of functions, and the switch for recording tapes."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith._tree import Tree, flatten, map_leaves, unflatten
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

P = ParamSpec("P")
R = TypeVar("R")


class _GradMode:
    """Switches tapes on or off in this thread; a context manager and a decorator."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_core.set_grad_enabled(self._enabled))

    def __exit__(self, *_: object) -> None:
        _core.set_grad_enabled(self._before.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        enabled = self._enabled

        @functools.wraps(function)
        def switched(*args: P.args, **kwargs: P.kwargs) -> R:
            with _GradMode(enabled):
                return function(*args, **kwargs)

        return switched


class _GradModeNow(_GradMode):
    """Switches at once, and back at the end of a `with` block."""

    def __init__(self, enabled: bool) -> None:
        super().__init__(enabled)
        self._outside = _core.set_grad_enabled(enabled)

    def __enter__(self) -> None:
        self._before.append(self._outside)
        _core.set_grad_enabled(self._enabled)


def no_grad() -> _GradMode:
    """Leaves no tape: results require no gradient, and leaves may be changed in place.

    Returns:
        A context manager that is also a decorator.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.asarray(2.0).requires_grad_()
        >>> with ts.no_grad():
        ...     y = x * x
        >>> y.requires_grad
        False
    """
    return _GradMode(False)


def enable_grad() -> _GradMode:
    """Leaves tapes again, inside `no_grad`.

    Returns:
        A context manager that is also a decorator.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.asarray(2.0).requires_grad_()
        >>> with ts.no_grad(), ts.enable_grad():
        ...     y = x * x
        >>> y.requires_grad
        True
    """
    return _GradMode(True)


def set_grad_enabled(mode: bool) -> _GradMode:
    """Switches tapes on or off in this thread, at once.

    Args:
        mode: whether results of tensors that require a gradient shall carry a tape.

    Returns:
        A context manager whose end restores the setting before the call.

    Example:
        >>> import trainsmith as ts
        >>> with ts.set_grad_enabled(False):
        ...     ts.is_grad_enabled()
        False
        >>> ts.is_grad_enabled()
        True
    """
    return _GradModeNow(mode)


def is_grad_enabled() -> bool:
    """Says whether results of tensors that require a gradient carry a tape in this thread.

    Returns:
        True unless inside `no_grad`.

    Example:
        >>> import trainsmith as ts
        >>> ts.is_grad_enabled()
        True
    """
    return _core.grad_enabled()


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Makes the function that gives the gradient of `f`.

    Gradients nest: `grad(grad(f))` is the second derivative of a function of one number. The result carries a tape only
    where `f` reaches tensors outside that require a gradient, or inside another `grad`.

    Args:
        f: a function whose result is a floating tensor with one element.
        argnums: the argument, or arguments, to differentiate by: floating tensors, or trees of them (tuples, lists and
            dicts). A tuple gives a tuple of gradients, even of one.

    Returns:
        A function of the same arguments. Its result has the structure, shapes and dtypes of the arguments named; zeros
        where `f` does not depend on one.

    Raises:
        ArgumentError: when called, if there is no such argument.
        DTypeError: when called, if an argument named, or the result, is not floating.
        ShapeError: when called, if the result of `f` has more than one element.

    Example:
        >>> import trainsmith as ts
        >>> ts.grad(lambda x: ts.sum(x ** 3))(ts.asarray([1.0, 2.0])).tolist()
        [3.0, 12.0]
        >>> float(ts.grad(ts.grad(lambda x: x ** 3))(2.0))
        12.0
    """
    both = _differentiated("grad", f, argnums, False)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Makes the function that gives the value of `f` and its gradient, computed once.

    Args:
        f: a function whose result is a floating tensor with one element, or with `has_aux` a pair of that and
            anything else.
        argnums: the argument, or arguments, to differentiate by; as in `grad`.
        has_aux: whether `f` gives such a pair.

    Returns:
        A function of the same arguments that gives `(value, gradient)`, or `((value, aux), gradient)`.

    Raises:
        ArgumentError: when called, if there is no such argument, or `f` gives no pair with `has_aux`.
        DTypeError: when called, if an argument named, or the result, is not floating.
        ShapeError: when called, if the result of `f` has more than one element.

    Example:
        >>> import trainsmith as ts
        >>> value, gradient = ts.value_and_grad(lambda x: x * x)(3.0)
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """
    return _differentiated("value_and_grad", f, argnums, has_aux)


def _differentiated(op: str, f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool) -> Callable[..., Any]:
    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        places = [_place(op, n, len(args)) for n in ((argnums,) if isinstance(argnums, int) else argnums)]
        watched, structure = _watched([args[place] for place in places])
        inside = list(args)
        for place, argument in zip(places, unflatten(structure, watched)):
            inside[place] = argument
        with _GradMode(True):
            result = f(*inside, **kwargs)
        value, aux = _pair(op, result) if has_aux else (result, None)
        if not isinstance(value, Tensor) or value.size != 1:
            got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
            rule = "a function that gives a tensor with one element; reduce it, for example with sum or mean"
            raise problem(ShapeError, op, rule, got)
        if not value.dtype.is_floating:
            raise problem(DTypeError, op, "a function that gives a floating tensor", str(value.dtype))
        outer = _reaches_outside([value], watched)
        with _GradMode(outer):
            grads = _core.gradients([value], None, watched)
        gradients = unflatten(structure, grads)
        value, aux = (value, aux) if outer else (value.detach(), map_leaves(_detached, aux))
        return (value, aux) if has_aux else value, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return value_and_gradient


def vjp(f: Callable[..., Any], /, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Runs a function and gives its result with the map from gradients of the result to gradients of the arguments.

    pullback(v) = vᵀ J, J the Jacobian of `f` at `primals`.

    Args:
        f: a function of tensors, or trees of them, that gives a floating tensor or a tree of them.
        primals: its arguments: floating tensors or trees of them.

    Returns:
        The result, and a function from a tree like the result to a tuple of gradients, one for each argument; it may be
        called any number of times.

    Raises:
        DTypeError: an argument that is not floating.
        ShapeError: when the pullback is called, if the gradients do not have the shapes of the result.

    Example:
        >>> import trainsmith as ts
        >>> y, pullback = ts.vjp(lambda x: x * x, ts.asarray([1.0, 2.0]))
        >>> pullback(ts.asarray([1.0, 10.0]))[0].tolist()
        [2.0, 40.0]
    """
    watched, structure = _watched(list(primals))
    with _GradMode(True):
        result = f(*unflatten(structure, watched))
    outputs, result_structure = flatten(result)
    tensors = [asarray(output) for output in outputs]
    outer = _reaches_outside(tensors, watched)

    def pullback(cotangents: Any, /) -> tuple[Any, ...]:
        seeds, given = flatten(cotangents)
        if given != result_structure:
            raise problem(ArgumentError, "vjp", "gradients in the structure of the function's result", str(given))
        seeds = [asarray(seed, dtype=tensor.dtype) for seed, tensor in zip(seeds, tensors)]
        with _GradMode(outer or any(seed.requires_grad for seed in seeds)):
            grads = _core.gradients(tensors, seeds, watched)
        return tuple(unflatten(structure, grads))

    shown = tensors if outer else [tensor.detach() for tensor in tensors]
    return unflatten(result_structure, shown), pullback


def _place(op: str, argnum: int, count: int) -> int:
    place = argnum + count if argnum < 0 else argnum
    if not 0 <= place < count:
        raise problem(ArgumentError, op, f"argnums among the {count} positional arguments", str(argnum))
    return place


def _watched(arguments: list[Any]) -> tuple[list[Tensor], Tree]:
    leaves, structure = flatten(arguments)
    with _GradMode(True):
        return [_core.watch(asarray(leaf)) for leaf in leaves], structure


def _pair(op: str, result: object) -> tuple[Any, Any]:
    parts = cast(tuple[Any, ...], result) if isinstance(result, tuple) else ()
    if len(parts) != 2:
        rule = "a function that gives (value, aux) with has_aux=True"
        raise problem(ArgumentError, op, rule, type(cast(object, result)).__name__)
    return parts[0], parts[1]


def _detached(leaf: Any) -> Any:
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _reaches_outside(outputs: list[Tensor], watched: list[Tensor]) -> bool:
    """Whether a gradient may be asked for by anything but these watched tensors."""
    return _core.grad_enabled() and _core.connected(outputs, watched)
