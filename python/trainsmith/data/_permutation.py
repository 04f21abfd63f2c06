"""A shuffle that can be entered anywhere: position i of epoch e is a function of seed, e and i alone.

A Feistel network maps pairs of half-words to pairs of half-words and can be undone whatever its round function is, so
it permutes the 2 ** (2 * half) numbers below a power of four. Positions outside [0, n) walk on along their cycle until
they come inside; that restricts the permutation to [0, n). Nothing is stored but the round keys.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError, IndexRangeError

_ROUNDS = 8
_MIN_HALF = 3
_MAX_SIZE = 2**62


class Permutation:
    """A pseudo-random order of the numbers 0 to n - 1, computed where it is asked.

    Args:
        size: n, from 0 to 2**62.
        seed: at least 0, or several such numbers that together are the seed.
        epoch: at least 0; each gives another order.

    Raises:
        ConfigError: a size or seed out of range.

    Example:
        >>> order = Permutation(5, seed=7, epoch=2)
        >>> sorted(order.at(range(5)).tolist()), order[3] == int(order.at([3])[0]), len(order)
        ([0, 1, 2, 3, 4], True, 5)

    Source: Black and Rogaway, Ciphers with arbitrary finite domains, 2002; round function after Steele et al.,
    SplitMix64, 2014. Not meant to keep secrets.
    """

    def __init__(self, size: int, seed: int | Sequence[int] = 0, epoch: int = 0) -> None:
        seeds = [seed] if isinstance(seed, int) else list(seed)
        if not 0 <= size <= _MAX_SIZE or epoch < 0 or any(one < 0 for one in seeds):
            raise worded(
                ConfigError,
                "permutation",
                "size, seed and epoch must be in range",
                expected="a size from 0 to 2**62, and a seed and an epoch of at least 0",
                got=f"{size}, {seed} and {epoch}",
                step="change them",
            )
        self._size = size
        self._half = max(_MIN_HALF, (max(size - 1, 0).bit_length() + 1) // 2)
        self._keys = np.random.SeedSequence([*seeds, epoch, size]).generate_state(_ROUNDS, np.uint64)

    def __len__(self) -> int:
        return self._size

    @property
    def keys(self) -> list[int]:
        """The round keys, from which the core computes the same order."""
        return self._keys.tolist()

    def __getitem__(self, position: int) -> int:
        """Returns the number at a position.

        Args:
            position: 0 to n - 1, or -n to -1 from the end.

        Returns:
            The number.

        Raises:
            IndexRangeError: no such position.
        """
        return int(self.at([position + self._size if position < 0 else position])[0])

    def at(self, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Returns the numbers at some positions.

        Args:
            positions: integers from 0 to n - 1, any shape.

        Returns:
            int64 of the same shape.

        Raises:
            IndexRangeError: a position outside the order.
        """
        found = np.asarray(positions, dtype=np.int64)
        if found.size and (int(found.min()) < 0 or int(found.max()) >= self._size):
            raise worded(
                IndexRangeError,
                "permutation",
                "positions must lie in the order",
                expected=f"0 to {self._size - 1}",
                got=f"{found.min()} to {found.max()}",
                step="ask for other positions",
            )
        values = self._permute(found.astype(np.uint64).ravel())
        outside = np.flatnonzero(values >= self._size)
        while outside.size:
            values[outside] = self._permute(values[outside])
            outside = outside[values[outside] >= self._size]
        return values.astype(np.int64).reshape(found.shape)

    def _permute(self, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Permutes the numbers below 2 ** (2 * half)."""
        shift, mask = np.uint64(self._half), np.uint64((1 << self._half) - 1)
        left, right = values >> shift, values & mask
        for key in self._keys:
            left, right = right, left ^ (mixed(right + key) & mask)
        return (left << shift) | right


def mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mixes the bits of each number, modulo 2 ** 64: the finaliser of SplitMix64.

    Args:
        values: uint64, any shape.

    Returns:
        uint64 of the same shape.

    Example:
        >>> mixed(np.zeros(1, np.uint64))
        array([0], dtype=uint64)
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
