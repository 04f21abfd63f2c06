"""Cuts arrays into batches of tensors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from trainsmith._core import Tensor
from trainsmith.data._gather import RowSource, Source
from trainsmith.data._permutation import Permutation
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError, DTypeError, ShapeError

_OP = "batches"


class Batches(Iterator[tuple[Tensor, ...]]):
    """The batches of some arrays; a thread gathers them ahead. `batches` makes and explains them.

    Args:
        sources: arrays and tensors of one length.
        batch_size: rows per batch.
        stop: rows that are given in all.
        seed: of their order; None for their own.

    Example:
        >>> import numpy as np
        >>> from trainsmith.data import batches
        >>> taken = batches(np.arange(6), batch_size=2)
        >>> first = next(taken)
        >>> again = batches(np.arange(6), batch_size=2)
        >>> again.load_state_dict(taken.state_dict())
        >>> next(again)[0].tolist()
        [2, 3]
    """

    def __init__(self, sources: Sequence[Source], *, batch_size: int, stop: int, seed: int | None) -> None:
        self._source = RowSource(sources)
        self._size = batch_size
        self._stop = stop
        self._seed = seed
        self._go_to(0)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Tensor, ...]:
        rows = next(self._batches)
        self._given += 1
        return rows

    def state_dict(self) -> dict[str, int]:
        """Returns the place: the rows that were given, and the seed of their order where they are shuffled."""
        rows = min(self._given * self._size, self._stop)
        return {"rows": rows} if self._seed is None else {"rows": rows, "seed": self._seed}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place: the next batch is the one that came next there.

        Args:
            state: what `state_dict` returned, of batches of the same arrays and settings.

        Raises:
            DataError: no such place; nothing has changed then.
        """
        rows, seed = state.get("rows", -1), state.get("seed", -1)
        fits = 0 <= rows <= self._stop and (rows == self._stop or rows % self._size == 0)
        if not fits or ("seed" in state) == (self._seed is None) or (self._seed is not None and seed < 0):
            raise worded(
                DataError,
                _OP,
                "the state must be a place of these batches",
                expected=f"rows of whole batches up to {self._stop}, and a seed where rows are shuffled",
                got=shown(dict(state)),
                step="load a state of batches of the same arrays and settings",
            )
        self._seed = None if self._seed is None else seed
        self._go_to(-(-rows // self._size))

    def _go_to(self, given: int) -> None:
        self._given = given
        self._batches = self._source.batches(
            order=None if self._seed is None else Permutation(self._source.rows, self._seed),
            batch_size=self._size,
            start=given * self._size,
            stop=self._stop,
        )


def batches(
    *arrays: npt.ArrayLike | Tensor,
    batch_size: int,
    shuffle: bool = False,
    seed: int | Sequence[int] | None = None,
    drop_last: bool = False,
) -> Batches:
    """Yields the rows of some arrays in batches, which a thread gathers ahead.

    Args:
        arrays: NumPy arrays or tensors of one length n along their first axis; row i of each belongs together. Dtypes
            are kept. Tensors stay on their device. NumPy arrays must not change while their batches are taken.
        batch_size: rows per batch, at least 1.
        shuffle: whether to draw a new order of the rows; otherwise they come in order.
        seed: of that order, non-negative, or several numbers that together are the seed; None draws a different order
            each time.
        drop_last: whether to leave out a last batch that has fewer than `batch_size` rows.

    Returns:
        An iterator of tuples with one tensor per array, shape (rows, ...), rows <= batch_size. Its `state_dict` and
        `load_state_dict` keep and find again its place.

    Raises:
        ConfigError: `batch_size` below 1.
        ShapeError: no array, one without axes, or arrays of different lengths.
        DTypeError: an array of objects or text.

    Example:
        >>> import numpy as np
        >>> from trainsmith.data import batches
        >>> [np.asarray(x).tolist() for (x,) in batches(np.arange(5), batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """
    check_batch_size(batch_size, _OP)
    sources = [array if isinstance(array, Tensor) else np.asarray(array) for array in arrays]
    rows = common_length(sources, _OP)
    return Batches(
        sources,
        batch_size=batch_size,
        stop=rows - rows % batch_size if drop_last else rows,
        seed=drawn_seed(seed) if shuffle else None,
    )


def drawn_seed(seed: int | Sequence[int] | None) -> int:
    """Returns one number for any seed; a new one for None.

    Args:
        seed: at least 0, or several such numbers, or None.

    Returns:
        At least 0.

    Example:
        >>> drawn_seed(7), drawn_seed([7, 1]) == drawn_seed((7, 1))
        (7, True)
    """
    if isinstance(seed, int | np.integer):
        return int(seed)
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


def check_batch_size(batch_size: int, op: str) -> None:
    """Refuses a number of rows below 1.

    Args:
        batch_size: the number.
        op: who asks.

    Raises:
        ConfigError: it is below 1.

    Example:
        >>> check_batch_size(1, "batches")
    """
    if isinstance(batch_size, bool) or batch_size < 1:
        raise worded(
            ConfigError,
            op,
            "batch_size must be positive",
            expected="at least 1",
            got=repr(batch_size),
            step="pass the number of rows per batch",
        )


def common_length(sources: Sequence[Source], op: str) -> int:
    """Returns the length of arrays of numbers along their first axis.

    Args:
        sources: the arrays.
        op: who asks.

    Returns:
        The number of rows.

    Raises:
        ShapeError: no array, one without axes, or arrays of different lengths.
        DTypeError: an array of objects or text.

    Example:
        >>> common_length([np.zeros((3, 2)), np.zeros(3)], "batches")
        3
    """
    for source in sources:
        if isinstance(source, np.ndarray) and source.dtype.kind in "OSUmMV":
            raise worded(
                DTypeError,
                op,
                "arrays must hold numbers",
                expected="a numeric or bool dtype",
                got=str(source.dtype),
                step="convert the array first",
            )
    shapes = [tuple(source.shape) for source in sources]
    if not shapes or any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise worded(
            ShapeError,
            op,
            "arrays must have the same number of rows",
            expected="one or more arrays of shape (n, ...)",
            got=", ".join(map(str, shapes)) or "no array",
            step="pass arrays of equal length",
        )
    return shapes[0][0]
