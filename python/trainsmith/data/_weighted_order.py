"""Weighted draws that can be entered anywhere: draw i of epoch e is a function of seed, e and i alone."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from trainsmith.data._permutation import mixed
from trainsmith.data._weights import checked_weights
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, IndexRangeError

Ints = npt.NDArray[np.int64]

_STEP = np.uint64(0x9E3779B97F4A7C15)


class WeightedOrder:
    """Draws rows with replacement, each with a chance in proportion to its weight.

    Args:
        weights: at least 0, not all 0, shape (rows,).
        seed: at least 0, or several such numbers that together are the seed.
        epoch: at least 0; each gives other draws.
        size: how many draws; as many as rows by default.

    Raises:
        DataError: weights that are none.
        ConfigError: a seed, an epoch or a size out of range.

    Example:
        >>> order = WeightedOrder([0.0, 1.0, 0.0], seed=7, size=4)
        >>> order.at(range(4)).tolist(), len(order)
        ([1, 1, 1, 1], 4)

    Source: inversion of the cumulative weights; the stream of draws is SplitMix64 of Steele et al., 2014.
    """

    def __init__(
        self, weights: npt.ArrayLike, seed: int | Sequence[int] = 0, epoch: int = 0, *, size: int | None = None
    ) -> None:
        found = checked_weights(weights, "weighted_order")
        seeds = [seed] if isinstance(seed, int) else list(seed)
        self._size = found.size if size is None else size
        if self._size < 0 or epoch < 0 or any(one < 0 for one in seeds):
            raise worded(
                ConfigError,
                "weighted_order",
                "size, seed and epoch must be in range",
                expected="numbers of at least 0",
                got=f"{self._size}, {seed} and {epoch}",
                step="change them",
            )
        self._cumulative = np.cumsum(found)
        self._last = int(np.flatnonzero(found)[-1])
        self._key = np.random.SeedSequence([*seeds, epoch, found.size]).generate_state(1, np.uint64)[0]

    def __len__(self) -> int:
        return self._size

    def at(self, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Returns the rows of some draws.

        Args:
            positions: integers from 0 to the number of draws - 1, any shape.

        Returns:
            int64 of the same shape.

        Raises:
            IndexRangeError: no such draw.
        """
        found = np.asarray(positions, dtype=np.int64)
        if found.size and (int(found.min()) < 0 or int(found.max()) >= self._size):
            raise worded(
                IndexRangeError,
                "weighted_order",
                "positions must be draws",
                expected=f"0 to {self._size - 1}",
                got=f"{found.min()} to {found.max()}",
                step="ask for other positions",
            )
        bits = mixed(self._key + (found.astype(np.uint64) + np.uint64(1)) * _STEP)
        unit = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
        rows = cast(Ints, np.searchsorted(self._cumulative, unit * self._cumulative[-1], side="right"))
        return np.minimum(rows, self._last).astype(np.int64)
