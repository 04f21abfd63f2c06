"""What of a call decides which captured step fits: structure, tensors' shapes and dtypes, everything else by value."""

from collections.abc import Hashable
from typing import Any, cast

import numpy as np

from trainsmith import _core, errors
from trainsmith._arrays import asarray
from trainsmith._tree import flatten, unflatten

Tensor = _core.Tensor
_ARRAYS: tuple[type[Any], ...] = (np.ndarray, np.generic)


def without_arrays(leaves: list[Any]) -> list[Any]:
    """Give leaves with tensors in place of arrays."""
    return [asarray(leaf) if isinstance(leaf, _ARRAYS) else leaf for leaf in leaves]


class Call:
    """The arguments of one call, taken apart.

    Attributes:
        key: what must be equal for a captured step to fit.
        tensors: tensor leaves in order; arrays have become tensors.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        leaves, self._tree = flatten((args, kwargs))
        self._leaves = without_arrays(leaves)
        self.tensors = [leaf for leaf in self._leaves if isinstance(leaf, Tensor)]
        self.key = (self._tree, (_core.grad_enabled(), _core.autocast_dtype()), *_describe(self._leaves))

    def rebuild(self, tensors: list[Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give args and kwargs with other tensors in the places of the tensors."""
        rest = iter(tensors)
        return unflatten(self._tree, [next(rest) if isinstance(leaf, Tensor) else leaf for leaf in self._leaves])

    def steps(self) -> int:
        """Give the number of steps that the tensors' leading axis counts.

        Raises:
            ShapeError: when tensors disagree about the number of steps, or there is none.
        """
        lengths = sorted({t.shape[0] if t.shape else -1 for t in self.tensors})
        if len(lengths) != 1 or lengths[0] < 1:
            raise errors.ShapeError(
                "run_steps: expected tensors with one leading axis of at least 1 step, "
                f"got leading sizes {lengths}; stack the batches of the steps",
                op="run_steps",
                expected="one leading axis of at least 1 step",
                got=str(lengths),
            )
        return lengths[0]

    def slices(self, step: int) -> "Call":
        """Give the call of one of several steps: a slice of each tensor."""
        args, kwargs = self.rebuild([t.detach()[step] for t in self.tensors])
        return Call(args, kwargs)


def _describe(leaves: list[Any]) -> list[Hashable]:
    first: dict[int, int] = {}
    described: list[Hashable] = []
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, Tensor):
            # The same object twice is one input; a cell stands for itself.
            alias = first.setdefault(id(leaf), place)
            cell = id(leaf) if isinstance(leaf, (_core.Parameter, _core.Buffer)) else None
            gradient = (leaf.requires_grad, leaf.grad is not None)
            described.append((leaf.shape, leaf.dtype, leaf.device, gradient, alias, cell))
        elif isinstance(leaf, float):
            described.append(("float", leaf.hex()))
        else:
            kind = cast(type[Any], type(leaf))
            described.append((kind, _hashable(leaf)))
    return described


def _hashable(leaf: Any) -> Hashable:
    try:
        hash(leaf)
    except TypeError:
        raise errors.ArgumentError(
            f"compile: expected arguments that are tensors, arrays or hashable values, got a {type(leaf).__name__}; "
            "pass what it holds, or let the function reach it as a closure",
            op="compile",
            expected="tensors, arrays or hashable values",
            got=type(leaf).__name__,
        ) from None
    return leaf


def difference(old: tuple[Any, ...], new: tuple[Any, ...]) -> str:
    """Say in what two keys differ.

    Returns:
        A phrase such as `argument 2 was (32, 4) float32, is (31, 4) float32`.
    """
    if old[0] != new[0]:
        return "the structure of the arguments changes"
    if old[1] != new[1]:
        return "gradients or mixed precision are switched on and off"
    for place, (before, after) in enumerate(zip(old[2:], new[2:], strict=False)):
        if before != after:
            return f"leaf {place + 1} of the arguments was {_show(before)}, is {_show(after)}"
    return "nothing in the arguments"


def _show(leaf: Any) -> str:
    if len(leaf) > 2:
        return f"{leaf[0]} {leaf[1]}"
    value = float.fromhex(leaf[1]) if leaf[0] == "float" else leaf[1]
    return f"{value!r}; a number that varies is better passed as a 0-d array"
