"""Laws of data iterators, data providers and sequence providers."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from trainsmith.testing._law import Array, equal, is_mapping, law, refuses_cancelled
from trainsmith.training import (
    Batch,
    BatchConfig,
    DataIterator,
    DataProvider,
    ResumableIterator,
    RunContext,
    SequenceConfig,
    SequenceProvider,
    SplitConfig,
)

_MANY = 1_000_000


def rows_of(iterator: DataIterator) -> list[Array]:
    """Takes the targets of all batches from an iterator that stands before its first.

    Args:
        iterator: the iterator.

    Returns:
        One array per batch.
    """
    found: list[Array] = []
    while iterator.next():
        batch = iterator.batch()
        law(isinstance(cast(Any, batch), Batch), "batch() is a Batch after next() returned True", batch)
        found.append(np.array(cast(Any, batch).targets))
        law(len(found) < _MANY, "an iterator comes to an end", "a million batches")
    law(iterator.error() is None, "error() is None at the natural end", iterator.error())
    return found


def check_data_iterator(iterator: DataIterator) -> None:
    """Checks the laws of a `DataIterator`.

    Args:
        iterator: one that stands before its first batch and has at least one. It is closed afterwards.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.testing import check_data_iterator
        >>> from trainsmith.training import Batch, DataIteratorAdapter
        >>> check_data_iterator(DataIteratorAdapter([Batch(inputs={"x": ts.zeros(3)}, targets=ts.zeros(3))]))
    """
    law(isinstance(cast(Any, iterator), DataIterator), "an iterator has next, batch, error, close and reset")
    law(iterator.batch() is None, "batch() is None before the first next()", iterator.batch())
    first = rows_of(iterator)
    law(bool(first), "the iterator under test has at least one batch", "none")
    law(iterator.batch() is None, "batch() is None after the end", iterator.batch())
    law(not iterator.next(), "next() stays False after the end", True)
    iterator.reset()
    law(iterator.batch() is None, "batch() is None after reset()", iterator.batch())
    again = rows_of(iterator)
    law(
        sorted(part.shape[:1] for part in first) == sorted(part.shape[:1] for part in again),
        "reset() replays as many rows",
        f"{len(first)} and then {len(again)} batches",
    )
    iterator.reset()
    law(iterator.next(), "next() is True after reset()", False)
    context = RunContext()
    context.cancel()
    law(not iterator.next(ctx=context), "next() is False once its context is cancelled", True)
    law(iterator.error() is not None, "error() says that the context was cancelled", None)
    law(iterator.batch() is None, "batch() is None after a cancelled next()", iterator.batch())
    iterator.reset()
    law(iterator.error() is None, "reset() forgets the error", iterator.error())
    law(iterator.next(), "next() is True after reset()", False)
    iterator.close()
    law(not iterator.next() and iterator.batch() is None, "a closed iterator has no batch")
    iterator.close()
    iterator.reset()
    law(iterator.next(), "reset() revives a closed iterator", False)
    if isinstance(iterator, ResumableIterator):
        _check_places(iterator, len(first))
    iterator.close()


def _check_places(iterator: ResumableIterator, batches: int) -> None:
    """Checks that an iteration goes on from every place as it did when the place was kept."""
    iterator.reset()
    start = iterator.state_dict()
    law(
        is_mapping(start) and all(isinstance(one, int) for one in cast(Any, start).values()),
        "state_dict() holds whole numbers by name",
        start,
    )
    whole = rows_of(iterator)
    for given in sorted({0, 1, batches - 1, batches}):
        iterator.load_state_dict(start)
        law(iterator.batch() is None, "batch() is None after load_state_dict()", iterator.batch())
        for _ in range(given):
            law(iterator.next(), "load_state_dict() of the start replays the epoch", False)
        state = dict(iterator.state_dict())
        law(state == dict(iterator.state_dict()), "state_dict() changes nothing")
        law(equal(rows_of(iterator), whole[given:]), "equal places give equal batches", state)
        iterator.close()
        iterator.load_state_dict(state)
        law(equal(rows_of(iterator), whole[given:]), "load_state_dict() goes to the place of state_dict()", state)
    iterator.load_state_dict(start)
    context = RunContext()
    context.cancel()
    law(iterator.next() and not iterator.next(ctx=context), "next() is False once its context is cancelled", True)
    iterator.load_state_dict(iterator.state_dict())
    law(equal(rows_of(iterator), whole[1:]), "a cancelled iteration keeps its place", iterator.state_dict())


def check_data_provider(provider: DataProvider, *, batch_size: int = 2) -> None:
    """Checks the laws of a `DataProvider`.

    Args:
        provider: one with at least two training rows. It is closed afterwards.
        batch_size: rows per batch to ask for.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import numpy as np
        >>> from trainsmith.testing import check_data_provider
        >>> from trainsmith.training import ArrayDataProvider
        >>> check_data_provider(ArrayDataProvider(np.zeros((5, 2)), np.zeros(5)))
    """
    law(
        isinstance(cast(Any, provider), DataProvider),
        "a provider has get_training_data, get_validation_data, get_metadata and close",
    )
    law(is_mapping(provider.get_metadata()), "get_metadata() is a mapping from names", provider.get_metadata())
    plain = BatchConfig(batch_size=batch_size, shuffle=False)
    shuffled = BatchConfig(batch_size=batch_size, shuffle=True)
    check_data_iterator(provider.get_training_data(plain))
    check_data_iterator(provider.get_training_data(shuffled))
    parts = rows_of(provider.get_training_data(plain))
    sizes = [part.shape[0] if part.ndim else 1 for part in parts]
    law(
        all(size == batch_size for size in sizes[:-1]) and 0 < sizes[-1] <= batch_size,
        f"every batch but the last has batch_size = {batch_size} rows",
        sizes,
    )
    law(equal(parts, rows_of(provider.get_training_data(plain))), "without shuffle the order is always the same")
    dropped = rows_of(provider.get_training_data(BatchConfig(batch_size=batch_size, shuffle=False, drop_last=True)))
    law(
        len(dropped) == sum(size == batch_size for size in sizes),
        "drop_last leaves out a last batch with fewer rows",
        len(dropped),
    )
    order = rows_of(provider.get_training_data(shuffled))
    law(_rows(order) == _rows(parts), "shuffle changes the order of the rows, never which rows there are")
    one, other = provider.get_training_data(plain), provider.get_training_data(plain)
    law(one.next() and other.next() and one is not other, "two iterators of one provider do not disturb each other")
    one.close()
    law(other.batch() is not None, "closing one iterator leaves the other alone")
    other.close()
    law(
        equal(rows_of(provider.get_validation_data(plain)), rows_of(provider.get_validation_data(shuffled))),
        "validation rows come in one order, shuffle or not",
    )
    refuses_cancelled(lambda ctx: provider.get_training_data(plain, ctx=ctx), "get_training_data")
    provider.close()
    provider.close()


def check_sequence_provider(
    provider: SequenceProvider,
    dataset: DataProvider,
    *,
    config: SequenceConfig | None = None,
    split: SplitConfig | None = None,
) -> None:
    """Checks the laws of a `SequenceProvider`.

    Args:
        provider: the provider.
        dataset: at least 8 training rows, whose targets differ.
        config: what to ask for; short random sequences by default.
        split: what to ask for; a quarter at random by default.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import numpy as np
        >>> from trainsmith.testing import check_sequence_provider
        >>> from trainsmith.training import ArrayDataProvider, DefaultSequenceProvider
        >>> check_sequence_provider(DefaultSequenceProvider(), ArrayDataProvider(np.zeros((9, 2)), np.arange(9.0)))
    """
    law(
        isinstance(cast(Any, provider), SequenceProvider),
        "a provider has generate_sequences, generate_train_validation_split and set_random_seed",
    )
    config = config or SequenceConfig(max_seq_len=3, num_sequences=4, strategy="random")
    split = split or SplitConfig(strategy="random", validation_ratio=0.25)
    total = sorted(_rows(_all(dataset)))

    def sequences() -> list[list[Any]]:
        provider.set_random_seed(5)
        return [_rows(_all(one), ordered=True) for one in provider.generate_sequences(dataset, config)]

    found = sequences()
    law(found == sequences(), "equal seeds give equal sequences")
    law(
        all(0 < len(one) <= config.max_seq_len for one in found),
        f"a sequence has 1 to max_seq_len = {config.max_seq_len} rows",
        [len(one) for one in found],
    )
    if config.num_sequences:
        law(len(found) <= config.num_sequences, "there are at most num_sequences sequences", len(found))
    law({row for one in found for row in one} <= set(total), "sequences hold rows of the data set only")

    def parts() -> tuple[list[Any], list[Any]]:
        provider.set_random_seed(5)
        train, validation = provider.generate_train_validation_split(dataset, split)
        return _rows(_all(train)), _rows(_all(validation))

    train, validation = parts()
    law((train, validation) == parts(), "equal seeds give equal splits")
    law(sorted([*train, *validation]) == total, "training and validation part are disjoint and together all rows")
    refuses_cancelled(lambda ctx: provider.generate_sequences(dataset, config, ctx=ctx), "generate_sequences")


def _all(provider: DataProvider) -> list[Array]:
    return rows_of(provider.get_training_data(BatchConfig(batch_size=7, shuffle=False)))


def _rows(parts: Sequence[Array], *, ordered: bool = False) -> list[Any]:
    """Returns the rows of all batches as plain values, sorted unless their order matters."""
    rows = [tuple(np.atleast_1d(row).ravel().tolist()) for part in parts for row in np.atleast_1d(part)]
    return rows if ordered else sorted(rows)
