"""Loops whose body is recorded once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from trainsmith import _core
from trainsmith._arrays import asarray
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith._tree import Tree, flatten, unflatten
from trainsmith.errors import ArgumentError, ShapeError


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    *,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Runs a function over the leading axis of tensors, handing a state from turn to turn.

    carry[0] = init; carry[t + 1], ys[t] = f(carry[t], xs[t]).

    The function is recorded once, whatever the length. It may read tensors from outside; it may not change them, nor
    draw random numbers.

    Args:
        f: from (carry, x) to (carry, y).
        init: the first carry: a tensor or a tree of tensors (tuples, lists and dicts).
        xs: a tensor or a tree of tensors of one leading length, or None with `length`: then x is None.
        length: number of turns, where there are no `xs`.
        reverse: whether to go from the last slice to the first; `ys` keep the order of `xs`.

    Returns:
        The last carry, and `ys` stacked along a new leading axis. A `y` may be None.

    Raises:
        ArgumentError: neither `xs` nor `length`, two that differ, or a function that changes the carry's structure.
        GraphError: a function with side effects.
        ShapeError: `xs` of different lengths, or a carry that changes its shape or dtype.

    Example:
        >>> import trainsmith as ts
        >>> total, partial = ts.scan(lambda c, x: (c + x, c + x), ts.asarray(0.0), ts.asarray([1.0, 2.0, 3.0]))
        >>> float(total), partial.tolist()
        (6.0, [1.0, 3.0, 6.0])
    """
    carries, state = _taken_apart(init)
    slices, scanned = _taken_apart(xs)
    turns = _length(slices, length)
    outputs: list[_Parts] = []

    def body(carry: list[Tensor], x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        turn = cast(object, f(state.together(carry), scanned.together(x)))
        parts = cast(tuple[Any, ...], turn) if isinstance(turn, tuple) else ()
        if len(parts) != 2:
            raise problem(ArgumentError, "scan", "a function that gives (carry, y)", type(cast(object, turn)).__name__)
        following, y = parts
        new, new_state = _taken_apart(following)
        if new_state != state:
            raise problem(
                ArgumentError, "scan", f"a carry of the structure {state.structure}", str(new_state.structure)
            )
        stacked, structure = _taken_apart(y)
        outputs.append(structure)
        return new, stacked

    last, stacked = _core.scan(body, carries, slices, turns, reverse)
    return state.together(last), outputs[-1].together(stacked)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The structure of a tree whose leaves are tensors or None, and which of them are tensors."""

    structure: Tree
    present: tuple[bool, ...]

    def together(self, tensors: Iterable[Tensor]) -> Any:
        rest = iter(tensors)
        return unflatten(self.structure, [next(rest) if present else None for present in self.present])


def _taken_apart(tree: object) -> tuple[list[Tensor], _Parts]:
    leaves, structure = flatten(tree)
    tensors = [asarray(leaf) for leaf in leaves if leaf is not None]
    return tensors, _Parts(structure, tuple(leaf is not None for leaf in leaves))


def _length(slices: list[Tensor], length: int | None) -> int:
    found = {tensor.shape[0] if tensor.ndim else -1 for tensor in slices}
    if -1 in found or len(found) > 1:
        shapes = ", ".join(str(tensor.shape) for tensor in slices)
        raise problem(ShapeError, "scan", "scanned tensors of one leading length", f"shapes {shapes}")
    if length is not None:
        found.add(length)
    if len(found) != 1 or min(found) < 0:
        got = f"length={length} and xs of length {sorted(found - {length})}"
        raise problem(ArgumentError, "scan", "scanned tensors, or length, or both alike", got)
    return found.pop()
