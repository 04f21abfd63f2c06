"""The element type T of the training interfaces, for the type checker only."""

import typing
from typing import TYPE_CHECKING, Any


class Float32:
    """Stands for float32 in annotations such as `DataProvider[Float32]`; never made."""


class Float64:
    """Stands for float64 in annotations such as `DataProvider[Float64]`; never made."""


if TYPE_CHECKING:
    # Type checkers know `default`, so that a plain `DataProvider` means any element type; Python 3.11 does not.
    from typing_extensions import TypeVar

    T = TypeVar("T", bound=Float32 | Float64, default=Any)
    T_co = TypeVar("T_co", bound=Float32 | Float64, covariant=True, default=Any)
    T_contra = TypeVar("T_contra", bound=Float32 | Float64, contravariant=True, default=Any)
else:
    T = typing.TypeVar("T", bound=Float32 | Float64)
    T_co = typing.TypeVar("T_co", bound=Float32 | Float64, covariant=True)
    T_contra = typing.TypeVar("T_contra", bound=Float32 | Float64, contravariant=True)
