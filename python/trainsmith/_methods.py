"""Gives the extension's tensor class the methods that are written in Python."""

import sys
from types import ModuleType
from typing import Any

from trainsmith import (
    _arithmetic,
    _bitwise,
    _bounds,
    _conversion,
    _creation,
    _cumulative,
    _exchange,
    _exponential,
    _grids,
    _histogram,
    _indexing,
    _joining,
    _linear,
    _logic,
    _magnitude,
    _manipulation,
    _picking,
    _printing,
    _reduction,
    _rounding,
    _sets,
    _sorting,
    _trigonometry,
)
from trainsmith._core import Tensor
from trainsmith._namespace import check_version

_FAMILIES: tuple[tuple[ModuleType, str], ...] = (
    (_arithmetic, "add divide floor_divide multiply pow reciprocal remainder square subtract"),
    (_bitwise, "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor"),
    (_bounds, "clip maximum minimum"),
    (_conversion, "astype clone contiguous double expand fill_ half long to to_device zero_"),
    (_creation, "empty_like full_like ones_like zeros_like"),
    (_cumulative, "cumulative_prod cumulative_sum diff"),
    (_exchange, "tolist"),
    (_exponential, "erf exp expm1 log log10 log1p log2 logaddexp sigmoid sqrt"),
    (_grids, "tril triu"),
    (_histogram, "histogram"),
    (_joining, "repeat roll tile unstack"),
    (_linear, "matmul matrix_transpose tensordot vecdot"),
    (
        _logic,
        "equal greater greater_equal isfinite isinf isnan less less_equal logical_and logical_not logical_or"
        " logical_xor not_equal where",
    ),
    (_magnitude, "abs conj copysign hypot imag negative nextafter positive real sign signbit"),
    (_manipulation, "broadcast_to expand_dims flatten flip moveaxis permute_dims squeeze"),
    (_picking, "masked_fill nonzero take take_along_axis"),
    (_reduction, "all any argmax argmin count_nonzero logsumexp max mean min prod std sum var"),
    (_rounding, "ceil floor round trunc"),
    (_sets, "unique_all unique_counts unique_inverse unique_values"),
    (_sorting, "argsort searchsorted sort topk"),
    (_trigonometry, "acos acosh asin asinh atan atan2 atanh cos cosh sin sinh tan tanh"),
)


def _array_namespace(x: Tensor, /, *, api_version: str | None = None) -> ModuleType:
    """Gives the namespace of the array API standard that has the functions of this tensor."""
    check_version(api_version)
    return sys.modules["trainsmith"]


_OTHERS: dict[str, Any] = {
    "T": property(_conversion.all_transposed),
    "__array__": _exchange.as_numpy,
    "__array_namespace__": _array_namespace,
    "__array_ufunc__": None,  # NumPy's operators leave the pair to ours
    "__complex__": _exchange.as_complex,
    "__deepcopy__": _exchange.deepcopy,
    "__dlpack__": _exchange.dlpack,
    "__dlpack_device__": _exchange.dlpack_device,
    "__format__": _printing.formatted,
    "__getitem__": _indexing.getitem,
    "__iter__": _indexing.iterate,
    "__reduce__": _exchange.reduce,
    "__repr__": _printing.show,
    "__setitem__": _indexing.setitem,
    "float": _conversion.single,
    "mT": property(_conversion.matrices_transposed),
    "numpy": _exchange.to_numpy,
    "reshape": _conversion.reshaped,
    "view": _conversion.reshaped,
}


def attach() -> None:
    """Sets the methods on the class."""
    for module, names in _FAMILIES:
        for name in names.split():
            setattr(Tensor, name, getattr(module, name))
    for name, member in _OTHERS.items():
        setattr(Tensor, name, member)


attach()
