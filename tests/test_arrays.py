"""From NumPy and Python to tensors and back."""

import enum
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import trainsmith as ts
from trainsmith.errors import ArgumentError, DTypeError, GraphError, ShapeError

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_array_round_trip_keeps_dtype_shape_and_elements(dtype, shape):
    x = np.random.default_rng(0).uniform(0, 100, shape).astype(dtype)
    t = ts.asarray(x)
    assert (t.shape, t.dtype.name, t.ndim, t.size) == (x.shape, dtype, x.ndim, x.size)
    back = np.asarray(t)
    assert back.dtype == x.dtype
    assert back.shape == x.shape
    np.testing.assert_array_equal(back, x)
    assert t.tolist() == x.tolist()


@given(hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)), st.data())
def test_any_layout_is_taken(x, data):
    view = x.transpose(data.draw(st.permutations(range(x.ndim))))[:: data.draw(st.sampled_from([1, 2, -1, -2]))]
    for array in (view, np.asfortranarray(view), view.astype(view.dtype.newbyteorder(">"))):
        np.testing.assert_array_equal(np.asarray(ts.asarray(array)), view)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (True, ts.bool),
        (3, ts.int64),
        (0.5, ts.float32),
        ([], ts.float32),
        ([[], []], ts.float32),
        ([True, False], ts.bool),
        ([1, 2], ts.int64),
        ([1, 2.5], ts.float32),
        ([True, 2], ts.int64),
        (((1, 2), (3, 4)), ts.int64),
        ([[1.0], [2.0]], ts.float32),
        (range(3), ts.int64),
    ],
)
def test_python_numbers_have_default_dtypes(value, dtype):
    t = ts.asarray(value)
    assert t.dtype == dtype
    assert t.shape == np.asarray(value).shape
    assert t.tolist() == np.asarray(value).tolist()


def test_numpys_scalars_keep_their_dtype():
    assert ts.asarray(np.float64(0.5)).dtype == ts.float64
    assert ts.asarray(np.int8(3)).dtype == ts.int8
    assert ts.asarray([np.float64(0.5), 1.0]).dtype == ts.float64
    assert ts.asarray([np.arange(2.0), np.arange(2.0)]).dtype == ts.float64
    assert ts.asarray(np.bool_(True)).dtype == ts.bool


def test_python_float_has_float32_digits_and_float64_ones_where_asked():
    assert ts.asarray(0.1).item() == np.float32(0.1)
    assert ts.asarray(0.1, dtype=ts.float64).item() == 0.1
    assert ts.asarray([0.1], dtype=ts.float64).tolist() == [0.1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_converts_as_astype_does(dtype):
    for value in ([0, 1, 2], [0.0, 1.5], [True, False], np.array([1.7, 2.2])):
        got = ts.asarray(value, dtype=dtype)
        assert got.dtype.name == dtype
        assert got.tolist() == ts.asarray(value).astype(dtype).tolist()


def test_nested_lists_of_tensors_stack():
    a, b = ts.asarray([1.0, 2.0]), ts.asarray([3.0, 4.0])
    assert ts.asarray([a, b]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert ts.asarray([[a, b], [b, a]]).shape == (2, 2, 2)
    assert ts.asarray([ts.asarray(1), 2, 3]).tolist() == [1, 2, 3]
    assert ts.asarray([a, b], dtype=ts.float64).dtype == ts.float64
    with pytest.raises(ShapeError, match="a list of tensors of one shape"):
        ts.asarray([a, ts.asarray(1.0)])


def test_stacked_tensors_pass_gradients():
    a = ts.asarray(2.0).requires_grad_()
    ts.sum(ts.asarray([a, a * 3]) ** 2).backward()
    assert a.grad.item() == pytest.approx(2 * 2 + 18 * 2)


def test_tensor_is_returned_where_nothing_changes():
    t = ts.asarray([1.0])
    assert ts.asarray(t) is t
    assert ts.asarray(t, dtype=ts.float32, device="cpu", copy=False) is t
    assert ts.asarray(t, copy=True) is not t
    assert ts.asarray(t, dtype=ts.float64) is not t
    with pytest.raises(ArgumentError, match="copy=False; pass copy=None to convert"):
        ts.asarray(t, dtype=ts.float64, copy=False)
    with pytest.raises(ArgumentError, match="copy=None"):
        ts.asarray(t, device="reference", copy=False)


def test_array_is_copied():
    x = np.zeros(3)
    t = ts.asarray(x)
    x[0] = 7
    assert t.tolist() == [0, 0, 0]


def test_borrowed_memory_is_shared_and_kept_alive():
    x = np.arange(1000.0)
    address = x.ctypes.data
    t = ts.asarray(x, copy=False)
    del x
    assert np.asarray(t).ctypes.data == address
    assert t.tolist() == list(range(1000))
    y = t + 1
    t += 1
    assert np.asarray(t).ctypes.data != address
    assert y.tolist() == t.tolist()


def test_borrowing_takes_views_of_rows_and_read_only_arrays():
    x = np.arange(12.0).reshape(4, 3)
    assert ts.asarray(x[1:3], copy=False).tolist() == x[1:3].tolist()
    x.flags.writeable = False
    assert ts.asarray(x, copy=False).tolist() == x.tolist()
    assert ts.asarray(np.zeros((0, 3)), copy=False).shape == (0, 3)


UNALIGNED = np.frombuffer(bytes(17), np.uint8)[1:].view(np.float64)


@pytest.mark.parametrize(
    "obj",
    [np.zeros((2, 3)).T, np.zeros(6)[::2], np.zeros(2, ">f8"), UNALIGNED, [1.0], 3, np.float64(1)],
    ids=["transposed", "strided", "byte order", "unaligned", "list", "number", "scalar"],
)
def test_what_cannot_be_borrowed_is_refused(obj):
    with pytest.raises(ArgumentError, match=r"asarray: expected .* copy=None to copy, got"):
        ts.asarray(obj, copy=False)
    with pytest.raises(ArgumentError, match="asarray: expected"):
        ts.asarray(np.zeros(3), dtype=ts.float32, copy=False)


def test_unaligned_array_is_copied():
    assert ts.asarray(UNALIGNED).tolist() == [0.0, 0.0]


def test_array_of_a_tensor_is_a_read_only_view():
    t = ts.asarray(np.arange(6.0))
    view = np.asarray(t)
    assert not view.flags.writeable
    assert view.ctypes.data == np.asarray(t).ctypes.data
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_array_of_a_tensor_does_not_change():
    t = ts.asarray(np.arange(3.0))
    view = np.asarray(t)
    t += 1
    t[0] = 9
    assert view.tolist() == [0, 1, 2]
    assert t.tolist() == [9, 2, 3]


def test_array_of_a_view_has_strides():
    t = ts.asarray(np.arange(6.0).reshape(2, 3))
    assert np.asarray(t.T).ctypes.data == np.asarray(t).ctypes.data
    assert np.asarray(t.T).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert np.asarray(t[:, ::-2]).tolist() == [[2, 0], [5, 3]]
    assert np.asarray(t[0].expand(4, 3)).shape == (4, 3)


def test_array_outlives_its_tensor():
    view = np.asarray(ts.arange(1000, dtype=ts.float64) * 2)
    ts.zeros(1000, dtype=ts.float64)
    assert view[999] == 1998


def test_numpy_arguments_of_array():
    t = ts.asarray([1.5, 2.5])
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.array(t).flags.writeable
    assert t.__array__(copy=True).flags.writeable
    with pytest.raises(ValueError, match="copy=False"):
        t.__array__(np.dtype("int64"), copy=False)
    assert t.__array__(np.dtype("float32"), copy=False).tolist() == [1.5, 2.5]


def test_operators_beside_arrays_give_tensors():
    x, t = np.ones(2), ts.asarray([1.0, 2.0], dtype=ts.float64)
    for got in (x + t, t + x, x * t, x - t, t / x, x @ t, np.float64(2) * t, x < t, x == t):
        assert isinstance(got, ts.Tensor)
    assert (x - t).tolist() == [0.0, -1.0]
    with pytest.raises(TypeError):
        np.add(x, t)


def test_bfloat16_arrays_are_ml_dtypes():
    x = np.array([1.5, -2.25, 3e38], ml_dtypes.bfloat16)
    t = ts.asarray(x)
    assert t.dtype == ts.bfloat16
    assert np.asarray(t).dtype == ml_dtypes.bfloat16
    assert (np.asarray(t) == x).all()
    assert t.tolist() == x.astype("float32").tolist()
    assert t[0].item() == 1.5
    assert ts.asarray(x, copy=False).tolist() == t.tolist()
    assert ts.asarray(x, dtype=ts.float32).dtype == ts.float32
    assert ts.asarray([0.1, 3.0], dtype=ts.bfloat16).tolist() == np.array([0.1, 3], ml_dtypes.bfloat16).tolist()


def test_bfloat16_without_ml_dtypes_names_the_package(monkeypatch):
    t = ts.asarray([1.0], dtype=ts.bfloat16)
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(DTypeError, match="pip install ml_dtypes"):
        np.asarray(t)
    assert t.tolist() == [1.0]
    assert repr(t) == "tensor([1.], dtype=bfloat16)"


class WithArray:
    def __array__(self, dtype=None, copy=None):
        return np.arange(3, dtype=dtype or "int16")


class WithDlpack:
    def __init__(self):
        self.array = np.arange(3, dtype="int16")

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("obj", [WithArray(), WithDlpack(), memoryview(np.arange(3, dtype="int16"))])
def test_objects_that_speak_a_protocol_are_taken(obj):
    t = ts.asarray(obj)
    assert (t.dtype, t.tolist()) == (ts.int16, [0, 1, 2])


@pytest.mark.parametrize(
    "obj",
    [
        None,
        "text",
        b"bytes",
        ["a"],
        1j,
        [1j],
        np.array(["a"]),
        np.array([None]),
        np.array("2020", "M8[D]"),
        object(),
        {},
        {1, 2},
    ],
    ids=repr,
)
def test_what_is_no_number_is_refused(obj):
    with pytest.raises(DTypeError, match=r"asarray: expected bool, integer or floating data.*got"):
        ts.asarray(obj)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, [1, 2**64], 10**30])
def test_integers_beyond_64_bits_are_refused(value):
    with pytest.raises(ArgumentError, match=r"asarray: expected integers in .*, got -?\d+"):
        ts.asarray(value)


def test_large_integers_beside_small_ones_keep_their_digits():
    assert ts.asarray([2**63 + 1, 0], dtype=ts.uint64).tolist() == [2**63 + 1, 0]
    with pytest.raises(ArgumentError, match="integers in"):
        ts.asarray([[2**63 + 1, -1]])


def test_integer_range_is_that_of_the_dtype():
    assert ts.asarray(2**64 - 1, dtype=ts.uint64).item() == 2**64 - 1
    assert ts.asarray([-128, 127], dtype=ts.int8).tolist() == [-128, 127]
    for value in (-1, 256, [0, 300]):
        with pytest.raises(ArgumentError, match=r"integers in \[0, 255\] for uint8"):
            ts.asarray(value, dtype=ts.uint8)


def test_ragged_lists_are_refused():
    with pytest.raises(ShapeError, match="asarray: expected rows of equal lengths"):
        ts.asarray([[1, 2], [3]])


def test_enumerations_count_as_integers():
    class Colour(enum.IntEnum):
        RED = 3

    assert ts.asarray(Colour.RED).item() == 3
    assert ts.asarray([Colour.RED]).tolist() == [3]


def test_item_and_conversions_to_python():
    assert ts.asarray(3).item() == 3
    assert isinstance(ts.asarray(3).item(), int)
    assert isinstance(ts.asarray(True).item(), bool)
    assert isinstance(ts.asarray([[1.5]]).item(), float)
    assert (float(ts.asarray(2)), int(ts.asarray(2.9)), bool(ts.asarray([0.0]))) == (2.0, 2, False)
    assert range(5)[ts.asarray(2)] == 2
    assert math.sqrt(ts.asarray(4.0)) == 2
    with pytest.raises(ShapeError, match="item: expected a tensor with one element"):
        ts.ones(2).item()
    with pytest.raises(DTypeError, match="index: expected an integer tensor"):
        range(5)[ts.asarray(2.0)]


def test_data_while_recording_are_constants_with_a_value():
    seen = []

    @ts.compile
    def step(x):
        table = ts.asarray(np.array([1.0, 2.0], "float32"))
        seen.append((table.tolist(), ts.asarray(0.5).item(), ts.asarray([3, 4]).tolist()))
        return x * table

    assert step(ts.ones(2)).tolist() == [1.0, 2.0]
    assert seen == [([1.0, 2.0], 0.5, [3, 4])]


def test_reading_while_recording_is_refused():
    for read in (np.asarray, float, bool, lambda x: x.item(), lambda x: x.tolist(), lambda x: x[x > 0]):
        with pytest.raises(GraphError, match=r"expected .*, got"):
            ts.compile(lambda x, read=read: (read(x), x)[1])(ts.asarray(1.0))
