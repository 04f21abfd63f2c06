"""The first batches of an iterator, again and again."""

from typing import Any

from trainsmith.training._batch import Batch
from trainsmith.training._iterator_adapter import DataIteratorAdapter
from trainsmith.training._protocols_data import DataIterator


def first_batches(data: DataIterator[Any], count: int) -> tuple[DataIteratorAdapter[Any], int]:
    """Takes the first batches of an iterator.

    Args:
        data: the iterator; it is reset first.
        count: at most so many.

    Returns:
        An iterator over them and their number.

    Example:
        >>> import trainsmith as ts
        >>> data = DataIteratorAdapter([Batch(inputs={"x": ts.zeros(n)}, targets=ts.zeros(n)) for n in (3, 2)])
        >>> first_batches(data, 1)[1]
        1
    """
    data.reset()
    batches: list[Batch[Any]] = []
    while len(batches) < count and data.next():
        batch = data.batch()
        assert batch is not None, "next() was True"
        batches.append(batch)
    error = data.error()
    if error is not None:
        raise error
    return DataIteratorAdapter(batches), len(batches)
