"""Functions of shape and order against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import trainsmith as ts
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError

DTYPES = ["bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64"]

arrays = hnp.arrays(
    "int64", hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), elements=st.integers(-9, 9)
)
filled = hnp.arrays("int64", hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), elements=st.integers(-9, 9))


def same(got, want):
    got = np.asarray(got)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert (got == want).all()


def count(shape, dtype="float64"):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


# function of (namespace-like x) -> pairs (ours, numpy's), each tried for every dtype
CALLS = {
    "broadcast_to": (lambda x: ts.broadcast_to(x, (2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4))),
    "expand_dims": (lambda x: ts.expand_dims(x, axis=-2), lambda x: np.expand_dims(x, -2)),
    "flatten": (ts.flatten, lambda x: x.reshape(-1)),
    "flip": (lambda x: ts.flip(x, axis=1), lambda x: np.flip(x, 1)),
    "matrix_transpose": (ts.matrix_transpose, lambda x: x.swapaxes(-1, -2)),
    "moveaxis": (lambda x: ts.moveaxis(x, 0, 1), lambda x: np.moveaxis(x, 0, 1)),
    "permute_dims": (lambda x: ts.permute_dims(x, (1, 0)), lambda x: x.T),
    "repeat": (lambda x: ts.repeat(x, 3, axis=1), lambda x: np.repeat(x, 3, 1)),
    "reshape": (lambda x: ts.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)),
    "roll": (lambda x: ts.roll(x, 1, axis=0), lambda x: np.roll(x, 1, 0)),
    "squeeze": (lambda x: ts.squeeze(x[:1], axis=0), lambda x: x[:1].squeeze(0)),
    "stack": (lambda x: ts.stack([x, x], axis=1), lambda x: np.stack([x, x], 1)),
    "concat": (lambda x: ts.concat([x, x], axis=1), lambda x: np.concatenate([x, x], 1)),
    "take": (lambda x: ts.take(x, ts.asarray([2, -1]), axis=1), lambda x: np.take(x, [2, -1], 1)),
    "take_along_axis": (
        lambda x: ts.take_along_axis(x, ts.asarray([[1], [0], [2]]), axis=1),
        lambda x: np.take_along_axis(x, np.array([[1], [0], [2]]), 1),
    ),
    "tile": (lambda x: ts.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1))),
    "tril": (lambda x: ts.tril(x, k=1), lambda x: np.tril(x, 1)),
    "triu": (lambda x: ts.triu(x, k=-1), lambda x: np.triu(x, -1)),
    "unstack": (lambda x: ts.unstack(x, axis=1)[2], lambda x: x[:, 2]),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_function_is_numpys(name, dtype):
    ours, numpys = CALLS[name]
    x = count((3, 4), dtype)
    same(ours(ts.asarray(x)), numpys(x))


@given(arrays, st.data())
def test_permute_flip_and_expand(x, data):
    axes = data.draw(st.permutations(range(x.ndim)))
    same(ts.permute_dims(ts.asarray(x), axes), x.transpose(axes))
    some = tuple(data.draw(st.lists(st.sampled_from(range(x.ndim)), unique=True))) if x.ndim else ()
    same(ts.flip(ts.asarray(x), axis=some), np.flip(x, some))
    same(ts.flip(ts.asarray(x)), np.flip(x))
    place = data.draw(st.integers(-x.ndim - 1, x.ndim))
    wide = ts.expand_dims(ts.asarray(x), axis=place)
    same(wide, np.expand_dims(x, place))
    same(ts.squeeze(wide, place), x)


@given(filled, st.data())
def test_moves_rolls_and_repeats(x, data):
    axis = st.integers(-x.ndim, x.ndim - 1)
    source, destination = data.draw(axis), data.draw(axis)
    same(ts.moveaxis(ts.asarray(x), source, destination), np.moveaxis(x, source, destination))
    shift = data.draw(st.integers(-9, 9))
    same(ts.roll(ts.asarray(x), shift), np.roll(x, shift))
    same(ts.roll(ts.asarray(x), shift, axis=source), np.roll(x, shift, source))
    times = data.draw(st.integers(0, 3))
    same(ts.repeat(ts.asarray(x), times), np.repeat(x, times))
    same(ts.repeat(ts.asarray(x), times, axis=source), np.repeat(x, times, source))
    each = data.draw(st.lists(st.integers(0, 3), min_size=x.shape[source], max_size=x.shape[source]))
    same(ts.repeat(ts.asarray(x), ts.asarray(np.array(each)), axis=source), np.repeat(x, each, source))
    reps = tuple(data.draw(st.lists(st.integers(0, 3), max_size=4)))
    same(ts.tile(ts.asarray(x), reps), np.tile(x, reps))


@given(arrays, st.integers(-6, 6))
def test_triangles(x, k):
    if x.ndim >= 2:
        same(ts.tril(ts.asarray(x), k=k), np.tril(x, k))
        same(ts.triu(ts.asarray(x), k=k), np.triu(x, k))


@given(filled, st.data())
def test_joining_and_splitting(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t = ts.asarray(x)
    same(ts.concat([t, t, t], axis=axis), np.concatenate([x, x, x], axis))
    same(ts.concat([t, ts.asarray(5)], axis=None), np.concatenate([x.ravel(), [5]]))
    same(ts.stack([t, t], axis=axis), np.stack([x, x], axis))
    parts = ts.unstack(t, axis=axis)
    assert len(parts) == x.shape[axis]
    same(ts.stack(parts, axis=axis), x)


@given(filled, st.data())
def test_flatten_joins_neighbours(x, data):
    first = data.draw(st.integers(0, x.ndim - 1))
    last = data.draw(st.integers(first, x.ndim - 1))
    want = x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])
    same(ts.flatten(ts.asarray(x), first, last), want)
    same(ts.asarray(x).flatten(first - x.ndim, last - x.ndim), want)


def test_flatten_of_a_0d_tensor_has_one_element():
    assert ts.flatten(ts.asarray(3)).tolist() == [3]


def test_concat_promotes_dtypes():
    joined = ts.concat([ts.asarray([1, 2]), ts.asarray([0.5], dtype=ts.float16)])
    assert joined.dtype == ts.float16
    assert joined.tolist() == [1.0, 2.0, 0.5]


def test_roll_takes_several_axes():
    x = count((3, 4))
    same(ts.roll(ts.asarray(x), (1, -2), axis=(0, 1)), np.roll(x, (1, -2), (0, 1)))
    same(ts.roll(ts.asarray(x), 2, axis=(0, 1)), np.roll(x, 2, (0, 1)))


def test_moveaxis_takes_several_axes():
    x = count((2, 3, 4, 5))
    same(ts.moveaxis(ts.asarray(x), (0, 1), (-1, -2)), np.moveaxis(x, (0, 1), (-1, -2)))


def test_broadcast_arrays_is_numpys():
    a, b = count((3, 1)), count((2,), "int64")
    for got, want in zip(ts.broadcast_arrays(ts.asarray(a), ts.asarray(b)), np.broadcast_arrays(a, b)):
        same(got, want)


def test_meshgrid_is_numpys():
    a, b, c = count((2,)), count((3,)), count((4,))
    for indexing in ("xy", "ij"):
        for vectors in ((a,), (a, b), (a, b, c)):
            got = ts.meshgrid(*map(ts.asarray, vectors), indexing=indexing)
            for ours, want in zip(got, np.meshgrid(*vectors, indexing=indexing), strict=True):
                same(ours, want)


def test_nonzero_is_numpys():
    x = count((3, 4)) % 3
    for got, want in zip(ts.nonzero(ts.asarray(x)), np.nonzero(x), strict=True):
        same(got, want)


def test_masked_fill_replaces_where_the_mask_holds():
    x = count((2, 3))
    mask = np.array([True, False, True])
    same(ts.asarray(x).masked_fill(ts.asarray(mask), -ts.inf), np.where(mask, -np.inf, x))


def test_expand_keeps_sizes_of_minus_one():
    same(ts.asarray(count((2, 1))).expand(3, -1, 4), np.broadcast_to(count((2, 1)), (3, 2, 4)))
    assert ts.ones((2, 1)).expand((2, 5)).shape == (2, 5)


@pytest.mark.parametrize("method", ["reshape", "view"])
def test_sizes_come_one_by_one_or_as_a_sequence(method):
    x = ts.arange(6)
    for shape in [(2, 3), [2, 3], (-1, 3)]:
        assert getattr(x, method)(shape).shape == (2, 3)
        assert getattr(x, method)(*shape).shape == (2, 3)
    assert getattr(ts.ones(1), method)().shape == ()
    assert getattr(x, method)(np.int64(6)).shape == (6,)


REFUSED = {
    "reshape to another number of elements": (lambda: ts.reshape(ts.ones(6), (4, -1)), ShapeError),
    "reshape to negative sizes": (lambda: ts.reshape(ts.ones(6), (-2, -3)), ShapeError),
    "permute_dims without an axis": (lambda: ts.permute_dims(ts.ones((2, 3)), (0,)), ArgumentError),
    "permute_dims with an axis twice": (lambda: ts.permute_dims(ts.ones((2, 3)), (0, 0)), ArgumentError),
    "permute_dims beyond": (lambda: ts.permute_dims(ts.ones((2, 3)), (0, 2)), IndexRangeError),
    "squeeze of size 2": (lambda: ts.squeeze(ts.ones((2, 1)), 0), ShapeError),
    "expand_dims beyond": (lambda: ts.expand_dims(ts.ones(2), axis=3), IndexRangeError),
    "broadcast_to fewer axes": (lambda: ts.broadcast_to(ts.ones((2, 2)), (2,)), ShapeError),
    "concat of different shapes": (lambda: ts.concat([ts.ones((2, 2)), ts.ones((3, 3))]), ShapeError),
    "concat of nothing": (lambda: ts.concat([]), ArgumentError),
    "stack of different shapes": (lambda: ts.stack([ts.ones(2), ts.ones(3)]), ShapeError),
    "stack of nothing": (lambda: ts.stack([]), ArgumentError),
    "repeat negative": (lambda: ts.repeat(ts.ones(2), -1), ArgumentError),
    "repeat of wrong length": (lambda: ts.repeat(ts.ones(2), [1, 2, 3]), ArgumentError),
    "repeat broken": (lambda: ts.repeat(ts.ones(2), [0.5, 1.0]), ArgumentError),
    "tile negative": (lambda: ts.tile(ts.ones(2), (-1,)), ArgumentError),
    "roll with too many shifts": (lambda: ts.roll(ts.ones((2, 2)), (1, 2), axis=0), ArgumentError),
    "moveaxis twice": (lambda: ts.moveaxis(ts.ones((2, 2)), (0, 0), (0, 1)), ArgumentError),
    "moveaxis without a place": (lambda: ts.moveaxis(ts.ones((2, 2)), (0, 1), 0), ArgumentError),
    "flatten backwards": (lambda: ts.flatten(ts.ones((2, 2)), 1, 0), ArgumentError),
    "matrix_transpose of a vector": (lambda: ts.matrix_transpose(ts.ones(2)), ShapeError),
    "tril of a vector": (lambda: ts.tril(ts.ones(2)), ShapeError),
    "nonzero of a 0-d tensor": (lambda: ts.nonzero(ts.asarray(1)), ShapeError),
    "take of several axes without one": (lambda: ts.take(ts.ones((2, 2)), ts.asarray([0])), ArgumentError),
    "take out of range": (lambda: ts.take(ts.ones(2), ts.asarray([2])), IndexRangeError),
    "take out of range below": (lambda: ts.take(ts.ones(2), ts.asarray([-3])), IndexRangeError),
    "take_along_axis of another shape": (lambda: ts.take_along_axis(ts.ones((2, 2)), ts.asarray([0])), ShapeError),
    "meshgrid of matrices": (lambda: ts.meshgrid(ts.ones((2, 2))), ShapeError),
    "meshgrid in another order": (lambda: ts.meshgrid(ts.ones(2), indexing="yx"), ArgumentError),
    "unstack of a 0-d tensor": (lambda: ts.unstack(ts.asarray(1)), IndexRangeError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused(case):
    call, kind = REFUSED[case]
    with pytest.raises(kind, match=r"^\w+: expected .*, got ") as caught:
        call()
    assert caught.value.op == case.split()[0]


@pytest.mark.parametrize("name", ["broadcast_to", "expand_dims", "flip", "permute_dims", "reshape", "squeeze"])
def test_views_do_not_share_changes(name):
    x = ts.asarray(count((1, 4)))
    y = {
        "broadcast_to": lambda: ts.broadcast_to(x, (1, 4)),
        "expand_dims": lambda: ts.expand_dims(x),
        "flip": lambda: ts.flip(x),
        "permute_dims": lambda: ts.permute_dims(x, (1, 0)),
        "reshape": lambda: ts.reshape(x, (1, 4)),
        "squeeze": lambda: ts.squeeze(x, 0),
    }[name]()
    y += 1
    same(x, count((1, 4)))
    x *= 0
    assert (np.asarray(y).ravel() != 0).all()
