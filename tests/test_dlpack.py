"""DLPack both ways."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError, DeviceError, DTypeError

DTYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
NUMPY_KNOWS_READ_ONLY = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_round_trip(dtype):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    t = ts.from_dlpack(x)
    assert (t.dtype.name, t.tolist()) == (dtype, x.tolist())
    back = np.from_dlpack(t)
    assert back.dtype == x.dtype
    assert back.tolist() == x.tolist()
    assert ts.from_dlpack(t.T).tolist() == x.T.tolist()


def test_tensors_come_back_as_they_are():
    t = ts.ones(3)
    assert ts.from_dlpack(t) is t
    assert ts.from_dlpack(t, copy=True) is not t


def test_memory_of_the_producer_is_copied_or_borrowed():
    x = np.arange(3.0)
    assert np.asarray(ts.from_dlpack(x)).ctypes.data != x.ctypes.data
    assert np.asarray(ts.from_dlpack(x, copy=False)).ctypes.data == x.ctypes.data


@pytest.mark.skipif(not NUMPY_KNOWS_READ_ONLY, reason="NumPy knows read-only DLPack memory from 2.1 on")
def test_a_consumer_of_version_1_shares_read_only_memory():
    t = ts.arange(3, dtype=ts.float64)
    x = np.from_dlpack(t)
    assert x.ctypes.data == np.asarray(t).ctypes.data
    assert not x.flags.writeable


class Old:
    """A producer as consumers before DLPack 1.0 see it."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, stream=None):
        return self.tensor.__dlpack__(stream=stream)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


class Unwilling(Old):
    """A consumer that refuses copies; it must not write."""

    def __dlpack__(self, stream=None):
        return self.tensor.__dlpack__(stream=stream, copy=False)


def test_an_older_consumer_gets_its_own_memory():
    t = ts.arange(3, dtype=ts.float64)
    x = np.from_dlpack(Old(t))
    assert x.ctypes.data != np.asarray(t).ctypes.data
    assert x.tolist() == [0, 1, 2]
    assert np.from_dlpack(Unwilling(t)).ctypes.data == np.asarray(t).ctypes.data


def test_copy_is_the_consumers_to_ask():
    t = ts.arange(3, dtype=ts.float64)
    assert t.__dlpack__(max_version=(1, 0), copy=True) is not None
    assert t.__dlpack__(dl_device=(1, 0)) is not None


def test_device_is_the_cpu():
    assert ts.ones(1).__dlpack_device__() == (1, 0)


def test_what_cannot_be_exported_is_a_buffer_error():
    with pytest.raises(BufferError, match="expected a dtype that NumPy knows"):
        ts.ones(1, dtype=ts.bfloat16).__dlpack__()
    with pytest.raises(BufferError, match="expected a tensor on the CPU"):
        ts.ones(1, device="reference").__dlpack__()
    with pytest.raises(BufferError, match="expected a tensor on the CPU"):
        ts.ones(1).__dlpack__(dl_device=(2, 0))


class OnGpu:
    def __dlpack__(self, **_):
        raise AssertionError

    def __dlpack_device__(self):
        return (2, 0)


class Unknown:
    def __dlpack__(self, **_):
        raise BufferError("no such dtype")

    def __dlpack_device__(self):
        return (1, 0)


def test_what_cannot_be_imported_is_refused():
    with pytest.raises(ArgumentError, match="from_dlpack: expected an object with __dlpack__"):
        ts.from_dlpack([1, 2])
    with pytest.raises(
        DeviceError, match="from_dlpack: expected memory of the CPU; move it there first, got device type 2"
    ):
        ts.from_dlpack(OnGpu())
    with pytest.raises(DTypeError, match="from_dlpack: expected an array that NumPy takes"):
        ts.from_dlpack(Unknown())


def others(name):
    """Another library's module, its arrays from NumPy's, and its way in."""
    module = pytest.importorskip({"torch": "torch", "jax": "jax.numpy"}[name], reason=f"{name} is not installed")
    if name == "torch":
        return module.from_numpy, module.from_dlpack
    return module.asarray, module.from_dlpack


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "float16", "float32"])
@pytest.mark.parametrize("name", ["torch", "jax"])
def test_other_libraries_both_ways(name, dtype):
    make, take = others(name)
    x = np.arange(6).reshape(2, 3).astype(dtype)
    ours = ts.from_dlpack(make(x.copy()))
    assert (ours.dtype.name, ours.tolist()) == (dtype, x.tolist())
    theirs = np.asarray(take(ts.asarray(x).T))
    assert (theirs.dtype, theirs.tolist()) == (x.dtype, x.T.tolist())
    assert ts.asarray(make(x.copy())).tolist() == x.tolist()
