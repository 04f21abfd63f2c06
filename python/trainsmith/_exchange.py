"""From tensors to NumPy arrays, Python lists, DLPack capsules and pickles."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trainsmith import _core
from trainsmith._core import Buffer, DType, Parameter, Tensor, apply
from trainsmith._dtypes import bfloat16, float32
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, DTypeError

Array = npt.NDArray[Any]

_CPU = (1, 0)  # kDLCPU
_GPU = (15, 0)  # kDLWebGPU
_READ_ONLY_FLAG = (1, 0)  # the DLPack version that can say "read-only"


def to_numpy(x: Tensor, /) -> Array:
    """Gives the elements as a NumPy array.

    A tensor on the CPU is not copied; its memory is shared and read-only, and later changes of the tensor do not show.

    Args:
        x: any shape and dtype; bfloat16 needs the package `ml_dtypes`.

    Returns:
        An array of the same shape and dtype that cannot be written.

    Raises:
        DTypeError: bfloat16 without `ml_dtypes`.
        GraphError: inside a compiled function, where the elements are not known yet.

    Example:
        >>> import trainsmith as ts
        >>> ts.asarray([1, 2]).numpy().tolist()
        [1, 2]
    """
    array = words(x)
    return array.view(_bfloat16()) if x.dtype == bfloat16 else array


def words(x: Tensor) -> Array:
    """Gives the elements as a read-only array; bfloat16 as 16-bit words."""
    return np.asarray(_core.host_view(x))


def _bfloat16() -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        rule = "the package ml_dtypes for bfloat16 arrays: pip install ml_dtypes; or convert with x.float()"
        raise problem(DTypeError, "numpy", rule, "no such package") from error
    return np.dtype(ml_dtypes.bfloat16)


def tolist(x: Tensor, /) -> Any:
    """Gives the elements as nested lists of Python numbers; a 0-d tensor as one number.

    Args:
        x: any shape and dtype.

    Returns:
        As many levels of lists as the tensor has axes.

    Example:
        >>> import trainsmith as ts
        >>> ts.asarray([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
    """
    return words(widened(x)).tolist()


def widened(x: Tensor) -> Tensor:
    """Gives bfloat16 as float32, which NumPy knows, and others as they are."""
    return apply("astype", (x.detach(),), {"dtype": float32}) if x.dtype == bfloat16 else x


def as_numpy(x: Tensor, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
    """Answers `numpy.asarray(x)`: a read-only view without a copy where nothing is converted."""
    array = to_numpy(x)
    if dtype is not None and np.dtype(dtype) != array.dtype:
        if copy is False:
            rule = f"dtype {array.dtype} with copy=False; pass copy=None to convert"
            raise problem(ArgumentError, "numpy", rule, str(np.dtype(dtype)))
        return array.astype(dtype)
    return array.copy() if copy else array


def as_complex(x: Tensor) -> complex:
    """Answers `complex(x)`: the one element."""
    return complex(float(x))


def dlpack(
    x: Tensor,
    /,
    *,
    stream: object = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> object:
    """Answers another library's `from_dlpack(x)`.

    A consumer that knows read-only memory (DLPack 1.0) shares it; another one gets a copy of its own, or, where it
    refuses copies, memory that it must not write.

    Args:
        x: a tensor on the CPU.
        stream: not used on the CPU.
        max_version: the newest version of the protocol that the consumer knows.
        dl_device: where the consumer wants the memory; the CPU is the one place.
        copy: True copies in any case; False refuses to.

    Returns:
        A capsule.

    Raises:
        BufferError: a tensor elsewhere than on the CPU, or a dtype outside the protocol.

    Example:
        >>> import numpy as np
        >>> import trainsmith as ts
        >>> np.from_dlpack(ts.asarray([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """
    if x.device != "cpu" or dl_device not in (None, _CPU):
        raise BufferError(f'__dlpack__: expected a tensor on the CPU; move it with x.to("cpu"), got {x.device}')
    if x.dtype == bfloat16:
        raise BufferError("__dlpack__: expected a dtype that NumPy knows; convert with x.float(), got bfloat16")
    array = words(x)
    if not copy and max_version is not None and max_version >= _READ_ONLY_FLAG:
        return cast(Any, array).__dlpack__(stream=None, max_version=max_version)
    return cast(Any, np.asarray(_Unlocked(array)) if copy is False else array.copy()).__dlpack__()


class _Unlocked:
    """An array's memory without the mark that it is read-only, which old capsules cannot carry."""

    def __init__(self, array: Array) -> None:
        self._owner = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def dlpack_device(x: Tensor, /) -> tuple[int, int]:
    """Gives DLPack's type and number of the device."""
    return _CPU if x.device == "cpu" else _GPU


def rebuild(
    kind: type[Tensor],
    data: bytes,
    shape: tuple[int, ...],
    dtype: DType,
    device: str,
    requires_grad: bool,
    name: str,
) -> Tensor:
    """Makes a tensor, parameter or buffer of what `reduce` took apart."""
    tensor = _core.from_bytes(data, shape, dtype, device)
    if issubclass(kind, Parameter):
        cell = kind(tensor, requires_grad)
        cell.name_ = name
        return cell
    if issubclass(kind, Buffer):
        return kind(tensor)
    return tensor.requires_grad_() if requires_grad else tensor


def reduce(x: Tensor) -> tuple[Any, ...]:
    """Answers `pickle`: the elements, and for a leaf whether it requires a gradient; a result's tape is left out."""
    data = words(x).tobytes()
    name = x.name_ if isinstance(x, Parameter) else ""
    return rebuild, (type(x), data, x.shape, x.dtype, x.device, x.requires_grad and x.is_leaf, name)


def deepcopy(x: Tensor, memo: dict[int, object]) -> Tensor:
    """Answers `copy.deepcopy`: the same elements and gradient in an object of its own."""
    elements = x.detach()
    copy: Tensor
    if isinstance(x, Parameter):
        copy = type(x)(elements, x.requires_grad)
        copy.name_ = x.name_
    elif isinstance(x, Buffer):
        copy = type(x)(elements)
    else:
        copy = elements.requires_grad_() if x.requires_grad and x.is_leaf else elements
    if x.is_leaf and x.grad is not None:
        copy.grad = x.grad.detach()
    memo[id(x)] = copy
    return copy
