"""Random tensors and the stream they are drawn from."""

from collections.abc import Sequence
from operator import index
from typing import cast

from trainsmith import _core
from trainsmith._core import DType, Generator, Tensor, apply
from trainsmith._dtypes import as_dtype
from trainsmith._typing import DTypeLike, Shape


def default_generator() -> Generator:
    """Gives the stream that random functions draw from.

    Returns:
        A generator; `get_state` and `set_state` save and restore its place.

    Example:
        >>> import trainsmith as ts
        >>> state = ts.default_generator().get_state()
        >>> first = ts.rand(3)
        >>> ts.default_generator().set_state(state)
        >>> bool(ts.all(ts.rand(3) == first))
        True
    """
    return _core.default_generator()


def manual_seed(seed: int) -> Generator:
    """Starts the stream of random numbers again.

    Args:
        seed: an integer in [0, 2^64).

    Returns:
        The stream.

    Example:
        >>> import trainsmith as ts
        >>> ts.manual_seed(7).initial_seed()
        7
    """
    generator = _core.default_generator()
    generator.manual_seed(seed)
    return generator


def rand(*shape: int | Sequence[int], dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Draws numbers uniformly from [0, 1).

    Args:
        shape: sizes, one after the other or as one sequence.
        dtype: a floating dtype; float32 by default.
        device: of the result; `cpu` by default.

    Returns:
        The shape asked for. The numbers depend on the seed and the draws before, not on device or compilation.

    Raises:
        ArgumentError: a negative size.
        DTypeError: a dtype that is not floating.

    Example:
        >>> import trainsmith as ts
        >>> ts.rand(2, 3).shape
        (2, 3)
    """
    return _drawn("rand", sizes_of(shape), as_dtype(dtype), device)


def randint(low: int, high: int, shape: Shape, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Draws integers uniformly from low, low + 1, ..., high - 1.

    Args:
        low: the smallest.
        high: above the largest, at most 2^31 above `low`.
        shape: sizes.
        dtype: of the result; int64 by default.
        device: of the result; `cpu` by default.

    Returns:
        The shape asked for.

    Raises:
        ArgumentError: bounds that leave nothing to draw, or lie too far apart; a negative size.

    Example:
        >>> import trainsmith as ts
        >>> bool(ts.all(ts.randint(0, 10, (100,)) < 10))
        True
    """
    return _drawn("randint", shape, as_dtype(dtype), device, low=low, high=high)


def randn(*shape: int | Sequence[int], dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Draws numbers from the normal distribution of mean 0 and variance 1.

    Args:
        shape: sizes, one after the other or as one sequence.
        dtype: a floating dtype; float32 by default.
        device: of the result; `cpu` by default.

    Returns:
        The shape asked for. The numbers depend on the seed and the draws before, not on device or compilation.

    Raises:
        ArgumentError: a negative size.
        DTypeError: a dtype that is not floating.

    Example:
        >>> import trainsmith as ts
        >>> ts.randn(2, 3).shape
        (2, 3)
    """
    return _drawn("randn", sizes_of(shape), as_dtype(dtype), device)


def sizes_of(shape: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    """Gives sizes that came one after the other, or as one sequence."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        return tuple(shape[0])
    return tuple(index(cast(int, size)) for size in shape)


def _drawn(name: str, shape: Shape, dtype: DType | None, device: str | None, **options: int) -> Tensor:
    return apply(name, (), {"shape": shape, "dtype": dtype, "device": device, **options})
