"""Standardisation with numbers from the training rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaler:
    """x becomes (x - mean) / std, by the last axis.

    Args:
        mean: shape (features,).
        std: shape (features,), above 0.

    Example:
        >>> import numpy as np
        >>> scaler = Scaler.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
        >>> scaler.scaled(np.array([[3.0, 6.0]])).tolist()
        [[1.0, 1.0]]
    """

    mean: Array
    std: Array

    @classmethod
    def of(cls, rows: npt.NDArray[np.floating[Any]]) -> "Scaler":
        """Fits a scaler; the population deviation, or 1 where a feature does not vary.

        Args:
            rows: shape (..., features), the training rows alone.

        Returns:
            The scaler.
        """
        axes = tuple(range(rows.ndim - 1))
        std = rows.std(axis=axes, dtype=np.float64)
        return cls(rows.mean(axis=axes, dtype=np.float64), np.where(std > 0, std, 1.0))

    def scaled(self, rows: npt.NDArray[np.floating[Any]]) -> Array:
        """Standardises rows of shape (..., features)."""
        return (rows - self.mean) / self.std

    def restored(self, rows: npt.NDArray[np.floating[Any]]) -> Array:
        """Undoes `scaled`."""
        return rows * self.std + self.mean
