"""Batches of sequences of like length, padded and masked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.data._batches import check_batch_size, common_length, drawn_seed
from trainsmith.data._permutation import Permutation
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DataError, ShapeError

Array = npt.NDArray[Any]

_OP = "bucket_by_length"
_SHORTEST = 8


class BucketBatches(Iterator[tuple[Tensor, ...]]):
    """The batches of `bucket_by_length`, which makes and explains them.

    Args:
        sequences: arrays of shape (length, ...).
        arrays: arrays with one row per sequence.
        plan: padded length and sequence numbers of each batch.
        pad: the filling.

    Example:
        `bucket_by_length` shows one.
    """

    def __init__(
        self,
        sequences: Sequence[Array],
        arrays: Sequence[Array],
        plan: Sequence[tuple[int, npt.NDArray[np.int64]]],
        pad: float,
    ) -> None:
        self._sequences = sequences
        self._arrays = arrays
        self._plan = plan
        self._pad = pad
        self._given = 0

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Tensor, ...]:
        if self._given == len(self._plan):
            raise StopIteration
        length, rows = self._plan[self._given]
        self._given += 1
        first = self._sequences[0]
        padded = np.full((rows.size, length, *first.shape[1:]), self._pad, first.dtype)
        mask = np.zeros((rows.size, length), np.bool_)
        for place, row in enumerate(rows):
            one = self._sequences[int(row)]
            padded[place, : one.shape[0]] = one
            mask[place, : one.shape[0]] = True
        return (ts.asarray(padded), ts.asarray(mask), *(ts.asarray(array[rows]) for array in self._arrays))

    def state_dict(self) -> dict[str, int]:
        """Returns the place: the number of batches that were given."""
        return {"batches": self._given}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place: the next batch is the one that came next there.

        Args:
            state: what `state_dict` returned, of batches of the same sequences, settings and seed.

        Raises:
            DataError: no such place; nothing has changed then.
        """
        given = state.get("batches", -1)
        if not 0 <= given <= len(self._plan):
            raise worded(
                DataError,
                _OP,
                "the state must be a place of these batches",
                expected=f"batches from 0 to {len(self._plan)}",
                got=shown(dict(state)),
                step="load a state of the same sequences and settings",
            )
        self._given = given


def bucket_by_length(
    sequences: Sequence[npt.ArrayLike],
    *arrays: npt.ArrayLike,
    batch_size: int,
    boundaries: Sequence[int] | None = None,
    shuffle: bool = False,
    seed: int | Sequence[int] | None = None,
    drop_last: bool = False,
    pad: float = 0.0,
) -> BucketBatches:
    """Yields sequences in batches of like length, filled up to the length of their bucket, with a mask.

    A captured step has one plan per shape, so few buckets mean few plans. The mask tells the loss and the attention
    which steps are real: nothing else knows.

    Args:
        sequences: arrays of shape (length, ...), with equal further axes and one dtype.
        arrays: targets and whatever else belongs to each sequence, shape (sequences, ...).
        batch_size: sequences per batch, at least 1.
        boundaries: the longest length of each bucket, rising; powers of 2 from 8 on by default.
        shuffle: whether to draw a new order of sequences and batches; otherwise batches come in the order of their
            first sequence.
        seed: of that order; None draws a different order each time.
        drop_last: whether to leave out batches with fewer than `batch_size` sequences.
        pad: what fills the rest.

    Returns:
        An iterator of tuples: padded sequences, shape (rows, boundary, ...); the mask, shape (rows, boundary), bool,
        True at real steps; and one tensor per further array. Its `state_dict` and `load_state_dict` keep and find again
        its place.

    Raises:
        ConfigError: a batch size below 1, or boundaries that do not rise.
        ShapeError: sequences whose further axes differ, or arrays of another length.
        DataError: a sequence beyond the last boundary.

    Example:
        >>> import numpy as np
        >>> from trainsmith.data import bucket_by_length
        >>> made = bucket_by_length([np.ones(2), np.ones(3), np.ones(9)], batch_size=2, boundaries=[4, 10])
        >>> [(x.shape, mask.sum(axis=1).tolist()) for x, mask in made]
        [((2, 4), [2, 3]), ((1, 10), [9])]
    """
    check_batch_size(batch_size, _OP)
    found = _sequences(sequences)
    others = [np.asarray(array) for array in arrays]
    lengths = np.array([one.shape[0] for one in found], np.int64)
    common_length([lengths, *others], _OP)
    limits = _limits(boundaries, lengths)
    number = drawn_seed(seed) if shuffle else None
    order = np.arange(lengths.size) if number is None else Permutation(lengths.size, number).at(np.arange(lengths.size))
    bucket = np.searchsorted(limits, lengths[order], side="left")
    plan: list[tuple[int, npt.NDArray[np.int64]]] = []
    starts: list[int] = []
    for index, limit in enumerate(limits.tolist()):
        places = np.flatnonzero(bucket == index)
        end = places.size - places.size % batch_size if drop_last else places.size
        for start in range(0, end, batch_size):
            chosen = places[start : min(start + batch_size, end)]
            plan.append((limit, order[chosen]))
            starts.append(int(chosen[0]))
    turns: npt.NDArray[np.int64] = np.argsort(starts)
    if number is not None:
        turns = Permutation(len(plan), (number, 1)).at(np.arange(len(plan)))
    return BucketBatches(found, others, [plan[int(turn)] for turn in turns], pad)


def _sequences(sequences: Sequence[npt.ArrayLike]) -> list[Array]:
    found = [np.asarray(one) for one in sequences]
    kinds = {(one.shape[1:], one.dtype) if one.ndim else None for one in found}
    if len(kinds) != 1 or None in kinds:
        raise worded(
            ShapeError,
            _OP,
            "sequences must have equal further axes and one dtype",
            expected="one or more arrays of shape (length, ...)",
            got=", ".join(sorted({f"{one.shape} {one.dtype}" for one in found})[:3]) or "no sequence",
            step="convert the sequences",
        )
    return found


def _limits(boundaries: Sequence[int] | None, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    longest = int(lengths.max())
    if boundaries is None:
        powers = [_SHORTEST << power for power in range(max(longest, 1).bit_length())]
        return np.array([one for one in powers if one < longest] + [max(longest, 1)], np.int64)
    limits = np.asarray(boundaries)
    if (
        limits.ndim != 1
        or not limits.size
        or limits.dtype.kind not in "iu"
        or limits[0] < 1
        or (np.diff(limits) < 1).any()
    ):
        raise worded(
            ConfigError,
            _OP,
            "boundaries must rise",
            expected="whole numbers of at least 1, each above the one before",
            got=shown(list(boundaries)),
            step="sort them",
        )
    if longest > int(limits[-1]):
        raise worded(
            DataError,
            _OP,
            "every sequence must fit a bucket",
            expected=f"at most {int(limits[-1])} steps",
            got=f"{longest} steps of sequence {int(lengths.argmax())}",
            step="add a boundary, or cut the sequence",
        )
    return limits.astype(np.int64)
