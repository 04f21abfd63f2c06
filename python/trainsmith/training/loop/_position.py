"""The place in the data: kept by the iterator itself, or found again by going through the batches once more."""

from collections.abc import Mapping
from typing import Any

from trainsmith.data._wording import worded
from trainsmith.errors import DataError
from trainsmith.training._protocols_data import DataIterator


def position_of(data: DataIterator[Any], epoch: int, batch: int) -> dict[str, Any]:
    """Returns the place of an iterator.

    Args:
        data: the iterator.
        epoch: epochs that were gone through.
        batch: batches given in the current one.

    Returns:
        What `state_dict` of the iterator returns; without such a method, the two counts.
    """
    own: Any = getattr(data, "state_dict", None)
    return {"epoch": epoch, "batch": batch} if own is None else {"own": own()}


def go_to(data: DataIterator[Any], position: Mapping[str, Any]) -> None:
    """Goes to a place of an iterator.

    An iterator without `load_state_dict` is made to give all batches up to there again, which costs the time of loading
    them and brings it to the same place where it draws nothing but its order.

    Args:
        data: a new iterator over the same data with the same settings.
        position: what `position_of` returned.

    Raises:
        DataError: the iterator ends before that place.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.training import Batch, DataIteratorAdapter
        >>> data = DataIteratorAdapter([Batch(inputs={"x": ts.zeros(n)}, targets=ts.zeros(n)) for n in (3, 2)])
        >>> go_to(data, {"epoch": 1, "batch": 1})
        >>> data.next(), data.batch().rows
        (True, 2)
    """
    if "own" in position:
        load: Any = getattr(data, "load_state_dict", None)
        if load is not None:
            load(position["own"])
            return
        raise _lost("a place that only the iterator of the first run can find")
    for _ in range(position["epoch"]):
        data.reset()
        while data.next():
            pass
    if position["batch"] or not position["epoch"]:
        data.reset()
    for given in range(position["batch"]):
        if not data.next():
            raise _lost(f"an end after {given} of {position['batch']} batches")
    error = data.error()
    if error is not None:
        raise error


def _lost(got: str) -> DataError:
    return worded(
        DataError,
        "resume",
        "the data must be those of the first run",
        expected="an iterator over the same batches",
        got=got,
        step="pass the same data, or start a new run",
    )
