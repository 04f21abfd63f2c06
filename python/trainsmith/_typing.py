"""Types of arguments."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from trainsmith._core import DType, Tensor

Operand: TypeAlias = Tensor | npt.ArrayLike
"""A tensor, a Python number (weak: it takes the dtype of the tensors beside it), or what `asarray` takes."""

DTypeLike: TypeAlias = DType | str | np.dtype[Any] | type[np.generic]
"""A dtype such as `trainsmith.float32`, its name, or NumPy's dtype."""

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several axes, or None for all."""

Shape: TypeAlias = int | Sequence[int]
"""Sizes of axes; one integer stands for one axis."""
