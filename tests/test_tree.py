"""Trees: taking apart and putting together."""

from collections import OrderedDict
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith._tree import flatten, map_leaves, unflatten
from trainsmith.errors import ArgumentError


class Point(NamedTuple):
    x: object
    y: object


trees = st.recursive(
    st.integers() | st.none() | st.text(max_size=2),
    lambda child: (
        st.lists(child, max_size=3)
        | st.lists(child, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), child, max_size=3)
        | st.tuples(child, child).map(lambda pair: Point(*pair))
    ),
)


@given(trees)
def test_unflatten_is_the_inverse(tree):
    leaves, structure = flatten(tree)
    again = unflatten(structure, leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert structure.leaves == len(leaves)


@given(trees)
def test_structures_of_equal_shape_are_equal_and_hash_alike(tree):
    _, structure = flatten(tree)
    _, other = flatten(map_leaves(lambda _: object(), tree))
    assert structure == other
    assert hash(structure) == hash(other)


def test_structures_tell_containers_apart():
    found = [
        flatten(tree)[1] for tree in ([1, 2], (1, 2), Point(1, 2), {"x": 1, "y": 2}, {"y": 1, "x": 2}, [1, [2]], 1, [])
    ]
    assert len(set(found)) == len(found)


def test_other_containers_are_leaves():
    for leaf in (OrderedDict(a=1), {1, 2}, "text", None, range(3)):
        assert flatten([leaf])[0] == [leaf]


def test_order_of_leaves_is_from_left_to_right():
    assert flatten({"b": [1, (2,)], "a": Point(3, {"z": 4})})[0] == [1, 2, 3, 4]


def test_wrong_number_of_leaves_is_refused():
    _, structure = flatten([1, 2])
    for leaves in ([1], [1, 2, 3]):
        with pytest.raises(ArgumentError, match="unflatten: expected 2 leaves, got"):
            unflatten(structure, leaves)
