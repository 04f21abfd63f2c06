"""Indexing against NumPy: reading, changing, gradients, captured steps, errors."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, GraphError, IndexRangeError, ShapeError

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def count(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


def same(got, want):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert (got == want).all()


@st.composite
def keys(draw, shape, advanced=True, masks=True):
    """An index expression that NumPy takes for the shape, with arrays as NumPy's."""
    parts, axis = [], 0
    common = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    while axis < len(shape):
        kinds = ["slice", "none", "stop"]
        kinds += ["integer"] if shape[axis] else []
        kinds += ["array"] if advanced and shape[axis] else []
        kinds += ["mask"] if masks else []
        kind = draw(st.sampled_from(kinds))
        if kind == "stop":
            break
        if kind == "none":
            parts.append(None)
            continue
        if kind == "mask":
            rank = draw(st.integers(1, len(shape) - axis))
            parts.append(draw(hnp.arrays(bool, shape[axis : axis + rank])))
            axis += rank
            continue
        size = shape[axis]
        if kind == "slice":
            bound = st.none() | st.integers(-size - 1, size + 1)
            parts.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2]))))
        elif kind == "integer":
            parts.append(draw(st.integers(-size, size - 1)))
        else:
            fitting = draw(st.sampled_from([common, (1,) * len(common), common[1:]]))
            parts.append(draw(hnp.arrays("int64", fitting, elements=st.integers(-size, size - 1))))
        axis += 1
    if draw(st.booleans()) and not any(getattr(part, "dtype", None) == np.bool_ for part in parts):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    return tuple(parts)


def ours(key):
    """The expression with tensors in place of arrays."""
    if isinstance(key, tuple):
        return tuple(map(ours, key))
    return ts.asarray(key) if isinstance(key, np.ndarray) else key


def numpys(x, key):
    try:
        return x[key]
    except IndexError:
        assume(False)


@settings(max_examples=150)
@given(st.data())
def test_basic_indexing_is_numpys(data):
    x = count(data.draw(shapes))
    key = data.draw(keys(x.shape, advanced=False, masks=False))
    want = numpys(x, key)
    same(ts.asarray(x)[key], want)


@settings(max_examples=400)
@given(st.data())
def test_any_indexing_is_numpys(data):
    x = count(data.draw(shapes))
    key = data.draw(keys(x.shape))
    want = numpys(x, key)
    same(ts.asarray(x)[ours(key)], want)
    same(ts.asarray(x)[key], want)


@settings(max_examples=200)
@given(st.data())
def test_assignment_is_numpys(data):
    x = count(data.draw(shapes)).astype("float64")
    key = data.draw(keys(x.shape))
    part = numpys(x, key).shape
    shape = data.draw(st.sampled_from([part, (), part[1:], (1, *part), tuple(1 for _ in part)]))
    value = -1.0 - np.arange(np.prod(shape, dtype=int)).reshape(shape)
    t = ts.asarray(x)
    try:
        x[key] = value
    except (TypeError, ValueError):  # NumPy takes fewer shapes for some keys than for others
        assume(False)
    t[ours(key)] = ts.asarray(value)
    same(t, x)


POSITIONS = [
    ((3, 4), (np.array([0, 1]), Ellipsis, np.array([0, 1]))),
    ((3, 4, 5), (slice(None), np.array([0, 1]), Ellipsis, np.array([0, 1]))),
    ((3, 4, 5), (np.array([0, 1]), slice(None), 0)),
    ((3, 4, 5), (0, slice(None), np.array([0, 1]))),
    ((3, 4, 5), (0, None, np.array([0, 1]))),
    ((3, 4, 5), (slice(None), 1, np.array([[0, 1], [2, 3]]))),
    ((3, 4, 5), (Ellipsis, 0, np.array([0, 1, 2]))),
    ((2, 3, 4, 5), (slice(None), np.array([0, 1]), slice(None), np.array([[0], [1]]))),
    ((2, 3, 4, 5), (np.array([[0], [1]]), np.array([0, 2]))),
    ((2, 3, 4), (count((2, 3)) > 2, np.array([0, 1, 2]))),
    ((2, 3, 4), (np.array([True, False]), slice(None), np.array([1]))),
    ((3, 4), True),
    ((3, 4), False),
    ((3, 4), (slice(None), np.True_)),
    ((3, 4), (True, np.array([0, 1]))),
    ((3, 4), (0, True)),
    ((), True),
    ((), ()),
    ((), Ellipsis),
    ((), None),
    ((3,), [0, -1, 0]),
    ((3,), []),
    ((3,), [[0, 1], [2, 0]]),
    ((3,), [True, False, True]),
    ((3, 4), ([0, 1], [2, 3])),
    ((3, 4), np.int8(2)),
    ((3, 4), (np.array(1), slice(1, None))),
    ((3, 4), np.array([1, 2], "uint8")),
    ((0, 4), np.zeros(0, "int64")),
    ((3, 4), np.zeros((3, 4), bool)),
    ((3, 4), np.zeros((0, 4), bool)),
    ((3, 4), (slice(None), np.zeros(0, bool))),
]


@pytest.mark.parametrize(("shape", "key"), POSITIONS)
def test_place_of_gathered_axes_is_numpys(shape, key):
    x = count(shape)
    same(ts.asarray(x)[key], x[key])
    same(ts.asarray(x)[ours(key)], x[key])
    t = ts.asarray(x)
    t[key] = -1
    x[key] = -1
    same(t, x)


def test_positions_may_be_0d_tensors():
    x = count((3, 4))
    t = ts.asarray(x)
    same(t[ts.asarray(1)], x[1])
    same(t[:, ts.asarray(-1)], x[:, -1])
    same(t[ts.asarray(1) : ts.asarray(3)], x[1:3])


def test_a_part_does_not_share_changes():
    x = ts.asarray(count((2, 3)))
    for part in (x[0], x[:, 1:], x[...], x[[0, 1]], x[()]):
        part += 1
    same(x, count((2, 3)))


def test_last_of_several_values_wins():
    x = ts.zeros(3)
    x[[0, 0, 2, 0]] = ts.asarray([1.0, 2.0, 3.0, 4.0])
    assert x.tolist() == [4.0, 0.0, 3.0]


def test_value_takes_the_dtype_of_the_tensor():
    x = ts.zeros(3, dtype=ts.float64)
    x[0] = 0.1
    x[1] = ts.asarray([0.5], dtype=ts.float16)
    x[2] = True
    assert x.tolist() == [0.1, 0.5, 1.0]
    n = ts.zeros(2, dtype=ts.int8)
    n[:] = 1.7
    assert n.tolist() == [1, 1]
    with pytest.raises(ArgumentError, match="int8"):
        n[0] = 200
    flags = ts.asarray([True, True])
    flags[0] = False
    assert flags.tolist() == [False, True]


@pytest.mark.parametrize("value", [ts.nan, ts.inf, -0.0])
def test_special_values_arrive_and_stay(value):
    x = ts.asarray([ts.nan, 1.0, ts.inf, -0.0])
    x[1] = value
    np.testing.assert_array_equal(np.asarray(x), np.array([np.nan, value, np.inf, -0.0], "float32"))


def test_iteration_gives_the_parts():
    x = count((3, 2))
    for got, want in zip(ts.asarray(x), x, strict=True):
        same(got, want)
    assert [int(v) for v in ts.asarray([1, 2])] == [1, 2]
    assert len(ts.asarray(x)) == 3
    with pytest.raises(ShapeError, match="iter: expected a tensor with at least one axis"):
        iter(ts.asarray(1))


GATHERS = {
    "slice": np.s_[1:, ::-2],
    "integer": np.s_[1],
    "array": np.s_[:, [0, 2, 0]],
    "arrays": np.s_[[0, 1, 1], [2, 3, 3]],
    "separated": (slice(None), np.array([0, 1])),
    "mask": count((3, 4)) % 2 == 0,
    "none": np.s_[:, None, 2],
}


@pytest.mark.parametrize("name", GATHERS)
def test_gradient_goes_to_the_elements_taken(name):
    key = GATHERS[name]
    x = ts.asarray(count((3, 4)).astype("float64")).requires_grad_()
    weight = -1.0 - np.arange(x[key].size).reshape(x[key].shape)
    ts.sum(x[key] * weight).backward()
    want = np.zeros((3, 4))
    np.add.at(want, key, weight)
    same(x.grad, want)


@pytest.mark.parametrize("name", ["slice", "integer", "mask", "none"])
def test_gradient_of_an_assignment_goes_to_what_stays_and_to_the_value(name):
    key = GATHERS[name]
    x = ts.asarray(count((3, 4)).astype("float64")).requires_grad_()
    value = ts.asarray(-1.0, dtype=ts.float64).requires_grad_()
    y = x * 2
    y[key] = value
    weight = count((3, 4)) + 1.0
    ts.sum(y * weight).backward()
    want = 2 * weight
    want[key] = 0
    same(x.grad, want)
    assert value.grad.item() == weight[key].sum()


STEPS = {
    "slice": lambda x, i: x[1:, ::-1],
    "integer tensor": lambda x, i: x[i],
    "0-d tensor": lambda x, i: x[i[0]],
    "beside a slice": lambda x, i: x[:, i],
    "two tensors": lambda x, i: x[i, i],
    "tensor and list": lambda x, i: x[i, [0, 3]],
    "separated": lambda x, i: x[None][i * 0, :, i],
    "tensor and integer": lambda x, i: x[i, -1],
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("positions", [[0, 2], [-3, -1]])
def test_captured_step_indexes_as_eager_does(name, positions):
    x, i = ts.asarray(count((3, 4)).astype("float32")), ts.asarray(positions)
    step = ts.compile(STEPS[name])
    want = np.asarray(STEPS[name](x, i))
    for _ in range(2):
        same(step(x, i), want)


@pytest.mark.parametrize("name", ["integer tensor", "beside a slice", "two tensors", "tensor and list"])
def test_captured_position_out_of_range_is_refused(name):
    x = ts.asarray(count((3, 4)).astype("float32"))
    step = ts.compile(STEPS[name])
    step(x, ts.asarray([0, 1]))
    for beyond in ([0, 4], [-5, 0]):
        with pytest.raises(IndexRangeError, match=r"expected .*, got"):
            step(x, ts.asarray(beyond))


def test_captured_assignment():
    @ts.compile
    def step(x, v, i):
        x[1] = v
        x[i] = v * 10
        return x * 2

    x = ts.zeros(4)
    assert step(x, ts.asarray(3.0), ts.asarray([0, 3])).tolist() == [60.0, 6.0, 0.0, 60.0]
    assert x.tolist() == [30.0, 3.0, 0.0, 30.0]


def test_masks_in_captured_steps_are_refused_unless_constant():
    with pytest.raises(GraphError, match=r"expected .*, got"):
        ts.compile(lambda x: x[x > 0])(ts.ones(3))
    mask = np.array([True, False, True])
    assert ts.compile(lambda x: x[mask])(ts.asarray([1.0, 2.0, 3.0])).tolist() == [1.0, 3.0]


REFUSED = {
    "integer beyond": (
        lambda x: x[:, 4],
        IndexRangeError,
        r"index: expected an index in \[-4, 4\) on axis 1 of size 4, got 4",
    ),
    "integer below": (lambda x: x[-4], IndexRangeError, r"index in \[-3, 3\) on axis 0 of size 3, got -4"),
    "array beyond": (lambda x: x[[0, 3]], IndexRangeError, r"index in \[-3, 3\) on axis 0 of size 3, got 3"),
    "tensor beyond": (lambda x: x[:, ts.asarray([0, -5])], IndexRangeError, r"on axis 1 of size 4, got -5"),
    "beyond in a pair": (lambda x: x[[0, 1], [0, 4]], IndexRangeError, r"on axis 1 of size 4, got 4"),
    "too many": (lambda x: x[0, 0, 0], IndexRangeError, r"at most 2 indices.*got 3"),
    "two ellipses": (lambda x: x[..., ...], IndexRangeError, r"one ellipsis"),
    "mask of another shape": (lambda x: x[np.array([True, False])], IndexRangeError, r"a mask of shape \(3,\)"),
    "float": (lambda x: x[0.5], DTypeError, r"index: expected integers, slices"),
    "floats": (lambda x: x[[0.5]], DTypeError, r"index: expected integers, slices"),
    "float array": (lambda x: x[np.array([0.5])], DTypeError, r"float64 data"),
    "text": (lambda x: x["a"], DTypeError, r"index: expected integers, slices"),
    "step of zero": (lambda x: x[::0], ArgumentError, r"a step other than 0"),
    "shapes that do not meet": (lambda x: x[[0, 1], [0, 1, 2]], ShapeError, r"index: expected shapes that broadcast"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused(case):
    read, kind, says = REFUSED[case]
    with pytest.raises(kind, match=says):
        read(ts.asarray(count((3, 4))))


def test_assignment_that_breaks_a_rule_changes_nothing():
    x = ts.asarray(count((3, 4)))
    with pytest.raises(ShapeError, match=r"index: expected a value that broadcasts to shape \(4,\), got shape \(3,\)"):
        x[0] = ts.ones(3)
    with pytest.raises(ShapeError, match="a value that broadcasts"):
        x[0] = ts.ones((2, 4))
    with pytest.raises(IndexRangeError):
        x[5] = 1
    same(x, count((3, 4)))
    leaf = ts.ones(3).requires_grad_()
    with pytest.raises(GraphError, match="no in-place change of a leaf"):
        leaf[0] = 1
    with ts.no_grad():
        leaf[0] = 5
    assert leaf.tolist() == [5.0, 1.0, 1.0]
    assert leaf.requires_grad
