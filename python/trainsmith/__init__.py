"""Train neural networks on the CPU and on any GPU: arrays of the Python array API standard, with gradients."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from trainsmith import _methods as _methods
from trainsmith import errors
from trainsmith._arithmetic import add, divide, floor_divide, multiply, pow, reciprocal, remainder, square, subtract
from trainsmith._arrays import asarray, from_dlpack
from trainsmith._autograd import enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled, value_and_grad, vjp
from trainsmith._bitwise import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from trainsmith._bounds import clip, maximum, minimum
from trainsmith._capture import compile
from trainsmith._constants import e, inf, nan, newaxis, pi
from trainsmith._conversion import astype
from trainsmith._core import DType, Generator, Tensor, __version__
from trainsmith._creation import (
    arange,
    empty,
    empty_like,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from trainsmith._cumulative import cumulative_prod, cumulative_sum, diff
from trainsmith._dtypes import (
    bfloat16,
    bool,
    can_cast,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    result_type,
    uint8,
    uint16,
    uint32,
    uint64,
)
from trainsmith._exponential import erf, exp, expm1, log, log1p, log2, log10, logaddexp, sigmoid, sqrt
from trainsmith._files import load_safetensors, save_safetensors
from trainsmith._grids import eye, meshgrid, tril, triu
from trainsmith._histogram import histogram
from trainsmith._joining import concat, repeat, roll, stack, tile, unstack
from trainsmith._linear import einsum, matmul, matrix_transpose, tensordot, vecdot
from trainsmith._logic import (
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    where,
)
from trainsmith._loops import scan
from trainsmith._magnitude import abs, conj, copysign, hypot, imag, negative, nextafter, positive, real, sign, signbit
from trainsmith._manipulation import (
    broadcast_arrays,
    broadcast_to,
    expand_dims,
    flatten,
    flip,
    moveaxis,
    permute_dims,
    reshape,
    squeeze,
)
from trainsmith._mixed import autocast, is_autocast_enabled
from trainsmith._namespace import __array_api_version__, __array_namespace_info__, devices
from trainsmith._npz import load_npz, save_npz
from trainsmith._picking import masked_fill, nonzero, take, take_along_axis
from trainsmith._random import default_generator, manual_seed, rand, randint, randn
from trainsmith._reduction import (
    all,
    any,
    argmax,
    argmin,
    count_nonzero,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from trainsmith._rounding import ceil, floor, round, trunc
from trainsmith._sets import unique_all, unique_counts, unique_inverse, unique_values
from trainsmith._sorting import argsort, searchsorted, sort, topk
from trainsmith._threads import get_num_threads, set_num_threads
from trainsmith._trigonometry import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, sin, sinh, tan, tanh

if TYPE_CHECKING:
    from trainsmith import data, debug, linalg, nn, optim

# fmt: off
__all__ = [
    "DType",
    "Generator",
    "Tensor",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "autocast",
    "bfloat16",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_arrays",
    "broadcast_to",
    "can_cast",
    "ceil",
    "clip",
    "compile",
    "concat",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "data",
    "debug",
    "default_generator",
    "devices",
    "diff",
    "divide",
    "e",
    "einsum",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "erf",
    "errors",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "finfo",
    "flatten",
    "flip",
    "float16",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "from_dlpack",
    "full",
    "full_like",
    "get_num_threads",
    "grad",
    "greater",
    "greater_equal",
    "histogram",
    "hypot",
    "iinfo",
    "imag",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_autocast_enabled",
    "is_grad_enabled",
    "isdtype",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "load_npz",
    "load_safetensors",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "manual_seed",
    "masked_fill",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "negative",
    "newaxis",
    "nextafter",
    "nn",
    "no_grad",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "optim",
    "permute_dims",
    "pi",
    "positive",
    "pow",
    "prod",
    "rand",
    "randint",
    "randn",
    "real",
    "reciprocal",
    "remainder",
    "repeat",
    "reshape",
    "result_type",
    "roll",
    "round",
    "save_npz",
    "save_safetensors",
    "scan",
    "searchsorted",
    "set_grad_enabled",
    "set_num_threads",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "topk",
    "tril",
    "triu",
    "trunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "value_and_grad",
    "var",
    "vecdot",
    "vjp",
    "where",
    "zeros",
    "zeros_like",
]
# fmt: on

# Loaded when they are asked for first: `import trainsmith` shall not take much longer than `import numpy`.
_LATER = frozenset({"data", "debug", "linalg", "nn", "optim"})


def __getattr__(name: str) -> ModuleType:
    if name in _LATER:
        return importlib.import_module(f"trainsmith.{name}")
    raise AttributeError(f"module 'trainsmith' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
