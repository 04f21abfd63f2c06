"""From arrays, numbers and lists to tensors."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trainsmith import _core
from trainsmith._core import DType, Tensor, apply
from trainsmith._dtypes import ALL, as_dtype, bfloat16, iinfo, int64
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, DeviceError, DTypeError, ShapeError

_OP = "asarray"
_BY_NAME = {dtype.name: dtype for dtype in ALL}
_PYTHON = {bool, int, float}
_CPU_MEMORY = 1  # kDLCPU

Array = npt.NDArray[Any]


def asarray(
    obj: object,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    copy: bool | None = None,
) -> Tensor:
    """Makes a tensor of an array, a number, a list, or a tensor.

    NumPy's dtypes are kept. Python's bools, ints and floats, also in nested lists, become bool, int64 and float32.
    Inside a compiled function the data are a constant of the step.

    Args:
        obj: a NumPy array or scalar, a Python number, a nested list of numbers, arrays or tensors of one shape, an
            object with `__array__` or `__dlpack__` (a DataFrame, a tensor of another library), or a tensor.
        dtype: of the result; the natural one by default.
        device: of the result; the tensor's own, or `cpu`, by default.
        copy: True always copies; None copies what is not a tensor yet; False never does: then `obj` is a tensor, or a
            C-contiguous array whose memory is borrowed, is kept alive, and must not be written any more.

    Returns:
        A tensor. The same object where `obj` is a tensor and nothing changes.

    Raises:
        ArgumentError: `copy=False` where a copy is needed, or an integer that its dtype cannot hold.
        DTypeError: data that are no numbers, or complex ones.
        ShapeError: a nested list whose rows differ in length.

    Example:
        >>> import numpy as np
        >>> import trainsmith as ts
        >>> ts.asarray([[1.0, 2.0], [3.0, 4.0]])
        tensor([[1., 2.],
                [3., 4.]], dtype=float32)
        >>> ts.asarray(np.arange(3)).dtype
        trainsmith.int64
    """
    wanted = as_dtype(dtype)
    if isinstance(obj, Tensor):
        return _of_tensor(obj, wanted, device, copy)
    if copy is False:
        return _borrowed(obj, wanted, device or "cpu")
    if isinstance(obj, list | tuple):
        items = cast(Sequence[object], obj)
        kinds = _leaf_types(items)
        if any(issubclass(kind, Tensor) for kind in kinds):
            return _stacked(items, wanted, device)
        array = _of_python(items, wanted) if kinds <= _PYTHON else _array_of(items)
    elif type(obj) in _PYTHON:
        array = _of_python(obj, wanted)
    else:
        array = _array_of(obj)
    return _from_numpy(array, wanted, device or "cpu")


def _leaf_types(items: Sequence[object]) -> set[type]:
    kinds = set(map(type, items))
    if kinds & {list, tuple}:
        kinds -= {list, tuple}
        for item in items:
            if isinstance(item, list | tuple):
                kinds |= _leaf_types(cast(Sequence[object], item))
    return kinds


def _stacked(items: Sequence[object], dtype: DType | None, device: str | None) -> Tensor:
    parts = [asarray(item, dtype=dtype, device=device) for item in items]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise problem(ShapeError, _OP, "a list of tensors of one shape; pad them or use concat", str(sorted(shapes)))
    rows = tuple(apply("expand_dims", (part,), {"axis": 0}) for part in parts)
    return apply("concat", rows, {"axis": 0})


def _of_tensor(tensor: Tensor, dtype: DType | None, device: str | None, copy: bool | None) -> Tensor:
    cast_needed = dtype is not None and dtype != tensor.dtype
    move_needed = device is not None and device != tensor.device
    if copy is False and (cast_needed or move_needed):
        raise problem(
            ArgumentError,
            _OP,
            "dtype and device of the tensor with copy=False; pass copy=None to convert",
            f"{dtype or tensor.dtype} on {device or tensor.device} for {tensor.dtype} on {tensor.device}",
        )
    if cast_needed:
        tensor = apply("astype", (tensor,), {"dtype": dtype})
    if device is not None and move_needed:
        return _core.to_device(tensor, device)
    return cloned(tensor) if copy and not cast_needed else tensor


def cloned(tensor: Tensor) -> Tensor:
    """Gives another tensor with the same elements; gradients flow through."""
    rank = tensor.ndim
    return apply("slice", (tensor,), {"starts": (0,) * rank, "sizes": tensor.shape, "steps": (1,) * rank})


def _array_of(obj: object) -> Array:
    """The NumPy array of anything that is not made of Python numbers alone."""
    if hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
        return np.from_dlpack(cast(Any, obj))
    try:
        return np.asarray(obj)
    except ValueError as error:
        raise problem(ShapeError, _OP, "rows of equal lengths; pad them first", str(error)) from error


def _of_python(obj: object, wanted: DType | None) -> Array:
    """The array of Python numbers, with the defaults of this library, or exact enough for the dtype wanted."""
    array = _array_of(obj)
    kind = array.dtype.kind
    if kind == "f" and array.size and (wanted is None or wanted.is_integer) and float not in _leaf_types([obj]):
        # NumPy makes floats of integers beyond int64 that stand beside smaller ones; objects keep their digits.
        array = np.asarray(obj, dtype=object)
        kind = "O"
    if kind == "f":
        return array if wanted is not None else array.astype(np.float32)
    if kind == "b":
        return array
    limits = iinfo(wanted if wanted is not None and wanted.is_integer else int64)
    if array.size and not (limits.min <= int(array.min()) and int(array.max()) <= limits.max):
        step = "pass dtype=trainsmith.uint64 or float64" if wanted is None else "pass a wider dtype"
        rule = f"integers in [{limits.min}, {limits.max}] for {limits.dtype}; {step}"
        raise problem(ArgumentError, _OP, rule, _outside(array, limits.min, limits.max))
    return array.astype(np.uint64 if kind in "uO" else np.int64)


def _outside(array: Array, low: int, high: int) -> str:
    return str(next((value for value in array.ravel().tolist() if not low <= value <= high), "other objects"))


def dtype_of(array: Array) -> DType:
    """Gives the dtype of a NumPy array's elements.

    Raises:
        DTypeError: elements that are no numbers of ours.
    """
    found = _BY_NAME.get(array.dtype.name)
    if found is None:
        rule = 'bool, integer or floating data; convert them first, for example with array.astype("float32")'
        raise problem(DTypeError, _OP, rule, f"{array.dtype} data")
    return found


def _from_numpy(array: Array, wanted: DType | None, device: str) -> Tensor:
    dtype = dtype_of(array)
    if wanted is not None and wanted != dtype and bfloat16 not in (wanted, dtype):
        with np.errstate(invalid="ignore", over="ignore"):
            array = array.astype(wanted.name)
        dtype = wanted
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    tensor = _core.from_bytes(_bytes_of(np.ascontiguousarray(array)), array.shape, dtype, device)
    return tensor if wanted is None or wanted == dtype else apply("astype", (tensor,), {"dtype": wanted})


def _bytes_of(array: Array) -> npt.NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _borrowed(obj: object, wanted: DType | None, device: str) -> Tensor:
    rule = "a tensor or a C-contiguous, aligned array in native byte order with copy=False; pass copy=None to copy"
    if not isinstance(obj, np.ndarray):
        raise problem(ArgumentError, _OP, rule, type(obj).__name__)
    array = cast(Array, obj)
    dtype = dtype_of(array)
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned and array.dtype.isnative) or wanted not in (None, dtype):
        got = f"{array.dtype.str} with strides {array.strides}" + (f", to be {wanted}" if wanted else "")
        raise problem(ArgumentError, _OP, rule, got)
    return _core.borrow(_bytes_of(array), array.shape, dtype, device)


def from_dlpack(x: object, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """Makes a tensor of another library's array.

    Args:
        x: an object with `__dlpack__` whose memory lies on the CPU.
        device: of the result; `cpu` by default.
        copy: False borrows the memory, which must not be written any more; otherwise it is copied.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ArgumentError: an object without `__dlpack__`, or memory that cannot be borrowed.
        DeviceError: memory of another device.
        DTypeError: a dtype that NumPy does not take through this protocol, such as bfloat16.

    Example:
        >>> import numpy as np
        >>> import trainsmith as ts
        >>> ts.from_dlpack(np.arange(3.0)).tolist()
        [0.0, 1.0, 2.0]
    """
    if isinstance(x, Tensor):
        return asarray(x, device=device, copy=copy)
    source = cast(Any, x)
    if not hasattr(source, "__dlpack__"):
        rule = "an object with __dlpack__; use asarray for others"
        raise problem(ArgumentError, "from_dlpack", rule, type(source).__name__)
    place = source.__dlpack_device__()[0]
    if place != _CPU_MEMORY:
        raise problem(DeviceError, "from_dlpack", "memory of the CPU; move it there first", f"device type {int(place)}")
    try:
        array = np.from_dlpack(source)
    except (BufferError, RuntimeError, TypeError) as error:
        rule = "an array that NumPy takes by DLPack; convert it, for example to float32"
        raise problem(DTypeError, "from_dlpack", rule, str(error)) from error
    return asarray(array, device=device, copy=copy)
