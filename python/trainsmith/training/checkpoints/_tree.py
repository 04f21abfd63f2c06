"""State as a tree of plain values and tensors, and as JSON with the tensors beside it."""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

import trainsmith as ts
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError

_TAGS = ("$tensor", "$array", "$tuple", "$map", "$float")


def pack(tree: Any) -> tuple[Any, dict[str, ts.Tensor]]:
    """Splits a tree into what JSON can hold and its tensors.

    Args:
        tree: dicts, lists, tuples, texts, numbers, None, tensors and numeric NumPy arrays, nested.

    Returns:
        Values for JSON, in which `{"$tensor": name}` stands for a tensor; the tensors by name, which is their path.

    Raises:
        DataError: a value of another type; its path is named.

    Example:
        >>> import trainsmith as ts
        >>> pack({"rates": (0.1,), "weights": {"w": ts.ones(1)}})[0]
        {'rates': {'$tuple': [0.1]}, 'weights': {'w': {'$tensor': 'weights/w'}}}
    """
    tensors: dict[str, ts.Tensor] = {}
    return _packed(tree, (), tensors), tensors


def unpack(value: Any, tensors: Mapping[str, ts.Tensor]) -> Any:
    """Puts a tree together again.

    Args:
        value: what `pack` returned, or what JSON made of it.
        tensors: the tensors by name.

    Returns:
        The tree, equal to the one that was packed.

    Raises:
        KeyError: a tensor is missing.

    Example:
        >>> unpack(*pack({1: [float("inf"), None]}))
        {1: [inf, None]}
    """
    if isinstance(value, list):
        return [unpack(one, tensors) for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    entries = cast(dict[str, Any], value)
    if len(entries) == 1:
        ((tag, content),) = entries.items()
        match tag:
            case "$tensor":
                return tensors[content]
            case "$array":
                return np.asarray(tensors[content]).copy()
            case "$tuple":
                return tuple(unpack(one, tensors) for one in content)
            case "$map":
                return {unpack(key, tensors): unpack(one, tensors) for key, one in content}
            case "$float":
                return float(content)
            case _:
                pass
    return {key: unpack(one, tensors) for key, one in entries.items()}


def _packed(value: Any, path: tuple[str, ...], tensors: dict[str, ts.Tensor]) -> Any:
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, ts.Tensor):
        return {"$tensor": _named(value.detach(), path, tensors)}
    if isinstance(value, np.generic):
        return _packed(value.item(), path, tensors)
    if isinstance(value, np.ndarray) and cast(np.ndarray[Any, Any], value).dtype.kind in "biuf":
        return {"$array": _named(ts.asarray(cast(np.ndarray[Any, Any], value)), path, tensors)}
    if isinstance(value, tuple):
        return {"$tuple": _items(cast(tuple[Any, ...], value), path, tensors)}
    if isinstance(value, list):
        return _items(cast(list[Any], value), path, tensors)
    if isinstance(value, Mapping):
        entries = cast(Mapping[Any, Any], value)
        packed = [(key, _packed(one, (*path, str(key)), tensors)) for key, one in entries.items()]
        if all(isinstance(key, str) and key not in _TAGS for key, _ in packed):
            return dict(packed)
        return {"$map": [[_packed(key, path, tensors), one] for key, one in packed]}
    raise worded(
        DataError,
        "checkpoint",
        "state must be plain values and tensors",
        expected="dicts, lists, tuples, texts, numbers, tensors and arrays",
        got=f"{shown(cast(object, value))} at {'/'.join(path)}",
        step="return plain values from state_dict",
    )


def _items(values: list[Any] | tuple[Any, ...], path: tuple[str, ...], tensors: dict[str, ts.Tensor]) -> list[Any]:
    return [_packed(one, (*path, str(place)), tensors) for place, one in enumerate(values)]


def _named(tensor: ts.Tensor, path: tuple[str, ...], tensors: dict[str, ts.Tensor]) -> str:
    name = "/".join(path)
    while name in tensors:
        name += "'"
    tensors[name] = tensor
    return name
