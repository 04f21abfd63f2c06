"""Any data provider's training rows as arrays."""

from collections.abc import Hashable
from typing import cast

import numpy as np

from trainsmith.data._wording import worded
from trainsmith.errors import DataError
from trainsmith.training._array_provider import Array, ArrayDataProvider
from trainsmith.training._config import BatchConfig
from trainsmith.training._context import RunContext
from trainsmith.training._element import T
from trainsmith.training._protocols_data import DataProvider

_ROWS = 4096


def materialise(dataset: DataProvider[T], *, ctx: RunContext | None = None) -> ArrayDataProvider[T]:
    """Reads the training rows of a provider into memory, in their order.

    Args:
        dataset: the provider; an `ArrayDataProvider` is returned as it is. Metadata arrays with one entry per row
            become columns.
        ctx: may end the work between two batches.

    Returns:
        The rows.

    Raises:
        DataError: there are no rows, or the batches do not fit together.
        CancelledError: the context was done.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import ArrayDataProvider
        >>> materialise(ArrayDataProvider(np.zeros((5, 2)), np.zeros(5))).rows
        5
    """
    if isinstance(dataset, ArrayDataProvider):
        return dataset
    inputs: dict[Hashable, list[Array]] = {}
    targets: list[Array] = []
    weights: list[Array] = []
    iterator = dataset.get_training_data(BatchConfig(batch_size=_ROWS, shuffle=False), ctx=ctx)
    try:
        while iterator.next(ctx=ctx):
            batch = iterator.batch()
            assert batch is not None, "next() was True"
            for name, tensor in batch.inputs.items():
                inputs.setdefault(name, []).append(np.asarray(tensor))
            targets.append(np.asarray(batch.targets))
            if batch.weights is not None:
                weights.append(np.asarray(batch.weights))
        error = iterator.error()
        if error is not None:
            raise error
    finally:
        iterator.close()
    if not targets:
        raise worded(
            DataError,
            "materialise",
            "the data set must have training rows",
            expected="at least 1 row",
            got="none",
            step="check the data provider",
        )
    rows = sum(part.shape[0] for part in targets)
    metadata = dict(dataset.get_metadata())
    columns = {
        name: metadata.pop(name)
        for name, value in list(metadata.items())
        if isinstance(value, np.ndarray) and cast(Array, value).shape[:1] == (rows,)
    }
    return ArrayDataProvider(
        {str(name): np.concatenate(parts) for name, parts in inputs.items()},
        np.concatenate(targets),
        weights=np.concatenate(weights) if len(weights) == len(targets) and weights[0].ndim == 1 else None,
        columns=columns,
        metadata=metadata,
        allow_non_finite=True,
    )
