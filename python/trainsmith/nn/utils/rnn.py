"""Sequences of different lengths in one batch: padded, or packed without padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from trainsmith._arrays import asarray
from trainsmith._core import Tensor, apply
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional

Host = npt.NDArray[Any]


class PackedSequence(NamedTuple):
    """Steps of sequences without padding, one step of all after the other, the longest sequence first.

    Recurrent layers take it in place of a tensor and give one back. Make it with `pack_padded_sequence`.

    Attributes:
        data: all steps, shape (total, ...).
        batch_sizes: how many sequences have a step t, int64 of shape (steps,), falling.
        sorted_indices: which sequence of the batch came first, second, ..., int64 of shape (n,); None where the batch
            was in order.
        unsorted_indices: where each sequence of the batch went; None where the batch was in order.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Takes the padding out of a batch of sequences.

    Args:
        input: shape (steps, n, ...), or (n, steps, ...) with `batch_first`.
        lengths: of each sequence, n integers from 1 to steps; they are read on the host, so a compiled function takes
            them as a list, and each new list is a new plan.
        batch_first: which of the first two axes is the batch.
        enforce_sorted: whether lengths must fall; False sorts them.

    Returns:
        The packed steps; gradients flow through.

    Raises:
        ArgumentError: lengths out of order, or outside [1, steps].
        ShapeError: fewer than two axes, or another number of lengths.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> packed = rnn.pack_padded_sequence(ts.asarray([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True)
        >>> packed.data.tolist(), packed.batch_sizes.tolist()
        ([1, 4, 2, 3], [2, 1, 1])
    """
    op = "pack_padded_sequence"
    if input.ndim < 2:
        raise problem(ShapeError, op, "an input of shape (steps, n, ...)", str(input.shape))
    n, steps = input.shape[:2] if batch_first else input.shape[1::-1]
    sizes = _host(lengths)
    if sizes.shape != (n,) or not n:
        raise problem(ShapeError, op, f"one length for each of {n} sequences, at least one", str(sizes.shape))
    if sizes.min() < 1 or sizes.max() > steps:
        raise problem(ArgumentError, op, f"lengths from 1 to {steps}", str(sizes.tolist()))
    order = np.argsort(-sizes, kind="stable")
    if enforce_sorted and not (order == np.arange(n)).all():
        raise problem(ArgumentError, op, "lengths that fall, or enforce_sorted=False", str(sizes.tolist()))
    counts: Host = np.count_nonzero(np.less(np.arange(int(sizes.max()))[:, None], sizes), axis=1)
    places = [(order[:count], t) for t, count in enumerate(counts)]
    index = np.concatenate([who * steps + t if batch_first else t * n + who for who, t in places])
    flat = cast(Tensor, apply("reshape", (input,), {"shape": (n * steps, *input.shape[2:])}))
    device = input.device
    orders = (
        (None, None) if enforce_sorted else (asarray(order, device=device), asarray(np.argsort(order), device=device))
    )
    return PackedSequence(_rows(flat, index), asarray(counts, device=device), *orders)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Puts the padding back.

    Args:
        sequence: packed steps.
        batch_first: whether the result is (n, steps, ...) instead of (steps, n, ...).
        padding_value: of steps behind the end of a sequence.
        total_length: steps of the result; those of the longest sequence by default.

    Returns:
        The sequences in the order of the batch that was packed, and their lengths, int64 of shape (n,).

    Raises:
        ArgumentError: a total length below that of the longest sequence.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> packed = rnn.pack_sequence([ts.asarray([1, 2, 3]), ts.asarray([4])])
        >>> padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True, padding_value=-1)
        >>> padded.tolist(), lengths.tolist()
        ([[1, 2, 3], [4, -1, -1]], [3, 1])
    """
    index, seen = places(sequence)
    if sequence.unsorted_indices is not None:
        back = _host(sequence.unsorted_indices)
        index, seen = index[:, back], seen[:, back]
    steps = len(index) if total_length is None else total_length
    if steps < len(index):
        rule = f"total_length of at least {len(index)}, the longest sequence"
        raise problem(ArgumentError, "pad_packed_sequence", rule, str(steps))
    more = ((0, steps - len(index)), (0, 0))
    index, seen = np.pad(index, more), np.pad(seen, more)
    lengths = asarray(seen.sum(0), device=sequence.data.device)
    if batch_first:
        index, seen = index.T, seen.T
    return unpacked(sequence.data, index, seen, padding_value), lengths


def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stacks sequences of different lengths, with padding.

    Args:
        sequences: each of shape (length, ...), with equal sizes behind.
        batch_first: whether the result is (n, steps, ...) instead of (steps, n, ...).
        padding_value: of the steps that are missing.
        padding_side: where they go, `right` or `left`.

    Returns:
        One tensor with as many steps as the longest sequence has.

    Raises:
        ArgumentError: no sequence, or another side.
        ShapeError: sizes behind the first axis that differ.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> rnn.pad_sequence([ts.asarray([1, 2]), ts.asarray([3])], batch_first=True).tolist()
        [[1, 2], [3, 0]]
    """
    if not sequences or padding_side not in ("right", "left"):
        got = f"{len(sequences)} sequences, padding_side {padding_side!r}"
        raise problem(ArgumentError, "pad_sequence", 'at least one sequence, and the side "right" or "left"', got)
    if len({(sequence.ndim, *sequence.shape[1:]) for sequence in sequences}) > 1 or not sequences[0].ndim:
        got = ", ".join(str(sequence.shape) for sequence in sequences)
        raise problem(ShapeError, "pad_sequence", "shapes (length, ...), equal but for the length", got)
    steps = max(sequence.shape[0] for sequence in sequences)
    rows: list[Tensor] = []
    for sequence in sequences:
        missing = steps - sequence.shape[0]
        pads = (0, missing) if padding_side == "right" else (missing, 0)
        padded = functional.pad(sequence, (0, 0) * (sequence.ndim - 1) + pads, value=padding_value)
        rows.append(cast(Tensor, apply("expand_dims", (padded,), {"axis": 0 if batch_first else 1})))
    return cast(Tensor, apply("concat", tuple(rows), {"axis": 0 if batch_first else 1}))


def unpad_sequence(padded: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False) -> list[Tensor]:
    """Takes sequences out of a padded batch.

    Args:
        padded: shape (steps, n, ...), or (n, steps, ...) with `batch_first`.
        lengths: of each sequence; read on the host.
        batch_first: which of the first two axes is the batch.

    Returns:
        n tensors of shape (length, ...).

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> [x.tolist() for x in rnn.unpad_sequence(ts.asarray([[1, 2], [3, 0]]), [2, 1], batch_first=True)]
        [[1, 2], [3]]
    """
    sizes = _host(lengths).tolist()
    return [padded[i, :size] if batch_first else padded[:size, i] for i, size in enumerate(sizes)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences of different lengths.

    Args:
        sequences: each of shape (length, ...), with equal sizes behind.
        enforce_sorted: whether lengths must fall; False sorts them.

    Returns:
        The packed steps.

    Raises:
        ArgumentError: no sequence, an empty one, or lengths out of order.
        ShapeError: sizes behind the first axis that differ.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> rnn.pack_sequence([ts.asarray([1, 2]), ts.asarray([3])]).data.tolist()
        [1, 3, 2]
    """
    return pack_padded_sequence(pad_sequence(sequences), [s.shape[0] for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Takes the sequences out of packed steps.

    Args:
        packed_sequences: packed steps.

    Returns:
        Tensors of shape (length, ...), in the order of the batch that was packed.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.nn.utils import rnn
        >>> packed = rnn.pack_sequence([ts.asarray([1]), ts.asarray([2, 3])], enforce_sorted=False)
        >>> [x.tolist() for x in rnn.unpack_sequence(packed)]
        [[1], [2, 3]]
    """
    padded, lengths = pad_packed_sequence(packed_sequences)
    return unpad_sequence(padded, lengths)


def places(sequence: PackedSequence) -> tuple[Host, Host]:
    """Gives for each step and sequence, longest first, its row among the packed ones, and whether there is one."""
    counts = _host(sequence.batch_sizes)
    seen: Host = np.less(np.arange(int(counts[0])), counts[:, None])
    starts = np.cumsum(counts) - counts
    return np.where(seen, starts[:, None] + np.arange(int(counts[0])), 0), seen


def unpacked(data: Tensor, index: Host, seen: Host, value: float = 0.0) -> Tensor:
    """Picks rows into two leading axes; what is not seen gets a value."""
    rows = _rows(data, index.reshape(-1))
    shape = (*index.shape, *data.shape[1:])
    padded = cast(Tensor, apply("reshape", (rows,), {"shape": shape}))
    mask = asarray(seen.reshape(*seen.shape, *(1,) * (data.ndim - 1)), device=data.device)
    return cast(Tensor, apply("where", (mask, padded, asarray(value, dtype=data.dtype, device=data.device))))


def packed(padded: Tensor, seen: Host) -> Tensor:
    """Gives the rows of two leading axes that are seen, one after the other."""
    shape = (padded.shape[0] * padded.shape[1], *padded.shape[2:])
    return _rows(cast(Tensor, apply("reshape", (padded,), {"shape": shape})), np.flatnonzero(seen))


def _rows(x: Tensor, index: Host) -> Tensor:
    return cast(Tensor, apply("take", (x, asarray(index, device=x.device)), {"axis": 0}))


def _host(numbers: Tensor | Sequence[int]) -> Host:
    return np.asarray(numbers).astype(np.int64)
