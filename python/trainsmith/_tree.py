"""Nested tuples, named tuples, lists and dicts as a flat list of leaves and a structure."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from trainsmith._problem import problem
from trainsmith.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Tree:
    """The structure around leaves; two structures of the same nesting, types and keys are equal.

    Args:
        kind: type of the container; None for a leaf.
        keys: of a dict, in its order; of other containers, positions are enough.
        children: structure of each part.
    """

    kind: type[Any] | None
    keys: tuple[Hashable, ...] = ()
    children: tuple["Tree", ...] = ()

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return 1 if self.kind is None else sum(child.leaves for child in self.children)


_LEAF = Tree(None)


def flatten(tree: object) -> tuple[list[Any], Tree]:
    """Takes a tree apart.

    Tuples, named tuples, lists and dicts are containers, everything else, None too, is a leaf.

    Args:
        tree: containers in containers, or a single leaf.

    Returns:
        The leaves, from left to right, and the structure around them.

    Example:
        >>> flatten({"a": 1, "b": (2, [3])})[0]
        [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _walk(tree, leaves)


def _walk(tree: object, leaves: list[Any]) -> Tree:
    if type(tree) is dict:
        items = cast(dict[Hashable, object], tree)
        return Tree(dict, tuple(items), tuple(_walk(item, leaves) for item in items.values()))
    if type(tree) in (list, tuple) or (isinstance(tree, tuple) and hasattr(cast(Any, tree), "_fields")):
        parts = cast(Sequence[object], tree)
        return Tree(type(parts), (), tuple(_walk(part, leaves) for part in parts))
    leaves.append(tree)
    return _LEAF


def unflatten(structure: Tree, leaves: Iterable[object]) -> Any:
    """Puts a tree together, the inverse of `flatten`.

    Args:
        structure: what `flatten` gave.
        leaves: as many as the structure has places.

    Returns:
        The tree.

    Raises:
        ArgumentError: too few or too many leaves.

    Example:
        >>> leaves, structure = flatten((1, [2, 3]))
        >>> unflatten(structure, [leaf + 1 for leaf in leaves])
        (2, [3, 4])
    """
    given = list(leaves)
    if len(given) != structure.leaves:
        raise problem(ArgumentError, "unflatten", f"{structure.leaves} leaves", str(len(given)))
    return _build(structure, iter(given))


def _build(structure: Tree, leaves: Iterator[object]) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    parts = [_build(child, leaves) for child in structure.children]
    if kind is dict:
        return dict(zip(structure.keys, parts))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def map_leaves(function: Callable[[Any], object], tree: object) -> Any:
    """Applies a function to each leaf and keeps the structure."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])
