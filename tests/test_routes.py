"""The short way of a call to its captured step takes exactly the calls that have the step's signature."""

import gc
import math
import weakref
from typing import Any, NamedTuple

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith._signature import Call
from trainsmith._tree import flatten


class Point(NamedTuple):
    x: Any
    y: Any


class Pair(NamedTuple):
    x: Any
    y: Any


def watched(with_grad: bool) -> ts.Tensor:
    tensor = ts.asarray([1.0, 2.0, 3.0]).requires_grad_()
    if with_grad:
        ts.sum(tensor).backward()
    return tensor


A, B, LONG = ts.asarray([1.0, 2.0, 3.0]), ts.asarray([4.0, 5.0, 6.0]), ts.asarray([1.0, 2.0, 3.0, 4.0])
WEIGHT, OTHER = nn.Parameter(ts.asarray([1.0, 2.0, 3.0])), nn.Parameter(ts.asarray([1.0, 2.0, 3.0]))
ARRAY = np.asarray([1.0, 2.0, 3.0], np.float32)

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "tensor": ((A,), {}),
    "another tensor": ((B,), {}),
    "another shape": ((LONG,), {}),
    "another dtype": ((ts.astype(A, ts.float64),), {}),
    "integers": ((ts.asarray([1, 2, 3]),), {}),
    "array": ((ARRAY,), {}),
    "array of another dtype": ((ARRAY.astype(np.float64),), {}),
    "another device": ((A.to("reference"),), {}),
    "watched": ((watched(False),), {}),
    "watched, with a gradient": ((watched(True),), {}),
    "two tensors": ((A, B), {}),
    "the same tensor twice": ((A, A), {}),
    "the same array twice": ((ARRAY, ARRAY), {}),
    "tensor and array": ((A, ARRAY), {}),
    "parameter": ((WEIGHT,), {}),
    "another parameter": ((OTHER,), {}),
    "keyword": ((), {"x": A}),
    "another keyword": ((), {"y": A}),
    "both": ((A,), {"x": B}),
    "list": (([A],), {}),
    "tuple": (((A,),), {}),
    "dict": (({"a": A, "b": B},), {}),
    "dict in another order": (({"b": B, "a": A},), {}),
    "named tuple": ((Point(A, B),), {}),
    "another named tuple": ((Pair(A, B),), {}),
    "nested": (([A, {"a": (B, 1)}],), {}),
    "nested otherwise": (([A, {"a": [B, 1]}],), {}),
    "int": ((A, 1), {}),
    "float": ((A, 1.0), {}),
    "bool": ((A, True), {}),
    "zero": ((A, 0.0), {}),
    "negative zero": ((A, -0.0), {}),
    "not a number": ((A, math.nan), {}),
    "text": ((A, "a"), {}),
    "nothing": ((A, None), {}),
    "a type": ((A, int), {}),
}
#: Right to be looked up in Python: no plain arrays in one piece.
RARE: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "every second": ((np.repeat(ARRAY, 2)[::2],), {}),
    "big-endian": ((ARRAY.astype(">f4"),), {}),
    "half": ((ARRAY.astype(np.float16),), {}),
    "scalar": ((ARRAY, np.float32(1.0)), {}),
}


def first_sum(*args: Any, **kwargs: Any) -> ts.Tensor:
    leaves, _ = flatten((args, kwargs))
    return ts.sum(next(leaf for leaf in leaves if isinstance(leaf, ts.Tensor)))


def eager(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ts.Tensor:
    call = Call(args, kwargs)
    args, kwargs = call.rebuild(call.tensors)
    return first_sum(*args, **kwargs)


@pytest.mark.parametrize("name", [*CALLS, *RARE])
def test_exactly_the_calls_of_one_signature_take_the_short_way(name: str) -> None:
    step = ts.compile(first_sum)
    args, kwargs = {**CALLS, **RARE}[name]
    step(*args, **kwargs)
    key = Call(args, kwargs).key
    for other, (other_args, other_kwargs) in {**CALLS, **RARE}.items():
        short = step._routes.call(other_args, other_kwargs)
        same = Call(other_args, other_kwargs).key == key
        assert same or short is NotImplemented, other
        assert short is not NotImplemented or not same or other in RARE, other
        if short is not NotImplemented:
            assert float(short) == float(eager(other_args, other_kwargs))


def test_grad_mode_and_recordings_are_part_of_it() -> None:
    step = ts.compile(lambda x: x * 2)
    step(A)
    with ts.no_grad():
        assert step._routes.call((A,), {}) is NotImplemented
    inside: list[Any] = []
    ts.compile(lambda x: inside.append(step._routes.call((x,), {})) or x)(A)
    assert inside == [NotImplemented]


@pytest.mark.parametrize("result", ["tensor", "tuple", "list", "dict", "named", "mixed", "none"])
def test_results_have_the_functions_structure(result: str) -> None:
    shapes: dict[str, Any] = {
        "tensor": lambda x: x + 1,
        "tuple": lambda x: (x + 1, x + 2),
        "list": lambda x: [x + 1, [x + 2]],
        "dict": lambda x: {"a": x + 1, 2: x + 2},
        "named": lambda x: Point(x + 1, {"deep": x + 2}),
        "mixed": lambda x: (x + 1, "text", None, 3.5, ()),
        "none": lambda x: None,
    }
    step = ts.compile(shapes[result])
    first, second = step(A), step(A)
    assert step._routes.take_hits() == 1
    (got, tree), (want, wanted) = flatten(second), flatten(first)
    assert tree == wanted
    for a, b in zip(got, want, strict=True):
        assert a.tolist() == b.tolist() if isinstance(a, ts.Tensor) else a is b


def test_changes_of_modules_are_seen_at_the_next_call() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    step = ts.compile(lambda x: model(x))
    step(A), step(A)
    assert step._routes.take_hits() == 1
    model.eval()
    np.testing.assert_array_equal(step(A), model(A))
    model[0] = nn.Identity()
    np.testing.assert_array_equal(step(A), A)
    assert step._routes.take_hits() == 0


def test_several_signatures_keep_their_short_ways() -> None:
    step = ts.compile(first_sum)
    for _ in range(3):
        assert float(step(A)) == 6.0
        assert float(step(LONG)) == 10.0
    assert step._routes.take_hits() == 4


def test_a_compiled_function_in_a_cycle_is_collected() -> None:
    def make() -> "weakref.ref[Any]":
        model = nn.Linear(3, 3)
        model.step = ts.compile(lambda x: model(x))
        model.step(A)
        model.step(A)
        return weakref.ref(model.step)

    gone = make()
    gc.collect()
    assert gone() is None
