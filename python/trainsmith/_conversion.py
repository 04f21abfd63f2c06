"""Functions that give the same elements in another dtype or on another device, and changes in place."""

from typing import Any

from trainsmith import _core
from trainsmith._arrays import asarray, cloned
from trainsmith._core import DType, Tensor, apply
from trainsmith._creation import full_like
from trainsmith._dtypes import float16, float32, float64, int64
from trainsmith._manipulation import broadcast_to, reshape
from trainsmith._problem import problem
from trainsmith._random import sizes_of
from trainsmith._typing import DTypeLike, Operand
from trainsmith.errors import ArgumentError, DTypeError


def astype(x: Operand, dtype: DTypeLike, /, *, copy: bool = True, device: str | None = None) -> Tensor:
    """Converts the elements to another dtype.

    Floats become integers by cutting off what follows the point; the derivative passes between floats.

    Args:
        x: any shape and dtype.
        dtype: of the result.
        copy: False may give `x` itself where nothing changes.
        device: of the result; that of `x` by default.

    Returns:
        Shape of `x`.

    Example:
        >>> import trainsmith as ts
        >>> ts.astype(ts.asarray([1.7, -1.7]), ts.int32).tolist()
        [1, -1]
    """
    return asarray(asarray(x), dtype=dtype, device=device, copy=copy or None)


def to(x: Tensor, /, *targets: DType | str, device: str | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Converts a tensor to a device, a dtype, or both.

    Args:
        x: any shape and dtype.
        targets: a dtype object, a name of a device, or both, in any order.
        device: the device, by name.
        dtype: the dtype.

    Returns:
        `x` itself where nothing changes.

    Raises:
        ArgumentError: a device or a dtype named twice.
        DeviceError: an unknown device.
        DTypeError: something else as target.

    Example:
        >>> import trainsmith as ts
        >>> ts.asarray([1, 2]).to(ts.float64).dtype
        trainsmith.float64
    """
    for target in targets:
        if isinstance(target, DType):
            if dtype is not None:
                raise problem(ArgumentError, "to", "one dtype", f"{dtype} and {target}")
            dtype = target
        elif isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            if device is not None:
                raise problem(
                    ArgumentError, "to", "one device; pass a dtype's name as dtype=", f"{device} and {target}"
                )
            device = target
        else:
            rule = 'a dtype such as trainsmith.float32 or a device such as "cpu"'
            raise problem(DTypeError, "to", rule, repr(target))
    return asarray(x, dtype=dtype, device=device)


def to_device(x: Tensor, device: str, /, *, stream: None = None) -> Tensor:
    """Moves a tensor to a device.

    Args:
        x: any shape and dtype.
        device: its name, one of `devices()`.
        stream: not used.

    Returns:
        `x` itself where it lies there.

    Raises:
        DeviceError: an unknown device.

    Example:
        >>> import trainsmith as ts
        >>> ts.ones(2).to_device("cpu").device
        'cpu'
    """
    return _core.to_device(x, device)


def half(x: Tensor, /) -> Tensor:
    """Converts to float16; `x` itself where it is."""
    return asarray(x, dtype=float16)


def single(x: Tensor, /) -> Tensor:
    """Converts to float32; `x` itself where it is."""
    return asarray(x, dtype=float32)


def double(x: Tensor, /) -> Tensor:
    """Converts to float64; `x` itself where it is."""
    return asarray(x, dtype=float64)


def long(x: Tensor, /) -> Tensor:
    """Converts to int64; `x` itself where it is."""
    return asarray(x, dtype=int64)


def clone(x: Tensor, /) -> Tensor:
    """Gives another tensor with the same elements.

    Args:
        x: any shape and dtype.

    Returns:
        A tensor of its own; gradients flow through to `x`, unlike with `detach`.

    Example:
        >>> import trainsmith as ts
        >>> x = ts.asarray([1, 2])
        >>> y = x.clone()
        >>> y += 1
        >>> x.tolist()
        [1, 2]
    """
    return cloned(x)


def contiguous(x: Tensor, /) -> Tensor:
    """Gives the tensor itself: how elements lie in memory never shows."""
    return x


def reshaped(x: Tensor, /, *shape: Any) -> Tensor:
    """Gives the same elements, in row-major order, another shape.

    Args:
        x: any shape and dtype.
        shape: sizes, one after the other or as one sequence; one may be -1: what is left over.

    Returns:
        The shape asked for.

    Raises:
        ShapeError: another number of elements.

    Example:
        >>> import trainsmith as ts
        >>> ts.arange(6).reshape(2, -1).shape
        (2, 3)
    """
    return reshape(x, sizes_of(shape))


def expand(x: Tensor, /, *shape: Any) -> Tensor:
    """Repeats axes of size 1, and adds leading axes.

    Args:
        x: any shape and dtype.
        shape: sizes, one after the other or as one sequence; -1 keeps that of `x`.

    Returns:
        The shape asked for.

    Raises:
        ShapeError: a shape that `x` does not broadcast to.

    Example:
        >>> import trainsmith as ts
        >>> ts.ones((2, 1)).expand(-1, 3).shape
        (2, 3)
    """
    sizes = sizes_of(shape)
    own = (-1,) * (len(sizes) - x.ndim) + x.shape
    return broadcast_to(x, tuple(mine if size == -1 else size for size, mine in zip(sizes, own)))


def fill_(x: Tensor, value: Operand, /) -> Tensor:
    """Gives all elements one value, in place as `x += 1` does.

    Args:
        x: any shape and dtype; outside `no_grad` no leaf that requires a gradient.
        value: a number, or a 0-d tensor.

    Returns:
        `x`.

    Raises:
        GraphError: such a leaf.

    Example:
        >>> import trainsmith as ts
        >>> ts.zeros(2).fill_(3).tolist()
        [3.0, 3.0]
    """
    return x.assign_(full_like(x, value))


def zero_(x: Tensor, /) -> Tensor:
    """Sets all elements to 0, in place as `x += 1` does.

    Args:
        x: any shape and dtype; outside `no_grad` no leaf that requires a gradient.

    Returns:
        `x`.

    Raises:
        GraphError: such a leaf.

    Example:
        >>> import trainsmith as ts
        >>> ts.ones(2).zero_().tolist()
        [0.0, 0.0]
    """
    return fill_(x, 0)


def all_transposed(x: Tensor) -> Tensor:
    """Gives `x.T`: the axes of a tensor in reverse order."""
    return apply("permute_dims", (x,), {"axes": tuple(reversed(range(x.ndim)))})


def matrices_transposed(x: Tensor) -> Tensor:
    """Gives `x.mT`: the last two axes swapped."""
    return apply("matrix_transpose", (x,))
