"""Arrays in memory as a data provider, shuffled by a seekable order."""

import threading
from collections.abc import Mapping
from typing import Any, Generic

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith.data import Permutation
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError, ShapeError
from trainsmith.training._batch import Batch
from trainsmith.training._config import BatchConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._element import T_co
from trainsmith.training._iteration import Iteration, cancellation, place_of

Array = npt.NDArray[Any]

_OP = "array_data_provider"
_BLOCK = 1 << 15


class ArrayDataProvider(Generic[T_co]):
    """Gives the rows of arrays in batches; the arrays are neither copied nor changed.

    With `shuffle`, the order of epoch e depends on `seed` and e alone; each `reset` of an iterator begins the next.

    Args:
        inputs: one array of shape (rows, ...), which becomes the input `x`; or such arrays by input name.
        targets: shape (rows, ...).
        validation: inputs and targets of the validation rows; None for none.
        columns: further values of each row that are no input, such as groups or times, by name; they are metadata and
            follow the rows in `take`.
        metadata: further entries of the metadata.
        seed: of the shuffles, at least 0.
        device: where the batches go.

    Raises:
        ShapeError: arrays without rows, or of different lengths.
        DataError: no input, or an array of objects.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import BatchConfig
        >>> provider = ArrayDataProvider(np.zeros((5, 3)), np.arange(5.0))
        >>> [batch.rows for batch in provider.get_training_data(BatchConfig(batch_size=2))]
        [2, 2, 1]
    """

    def __init__(
        self,
        inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike],
        targets: npt.ArrayLike,
        *,
        validation: tuple[npt.ArrayLike | Mapping[str, npt.ArrayLike], npt.ArrayLike] | None = None,
        columns: Mapping[str, npt.ArrayLike] | None = None,
        metadata: Mapping[str, Any] | None = None,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self._inputs, self._targets = _arrays(inputs, targets)
        self._validation = None if validation is None else _arrays(*validation)
        self._columns = {name: np.asarray(column) for name, column in (columns or {}).items()}
        for name, column in self._columns.items():
            if column.ndim == 0 or column.shape[0] != self.rows:
                raise _ragged({name: column, "targets": self._targets})
        self._metadata = dict(metadata or {})
        self._seed = seed
        self._device = device

    @property
    def rows(self) -> int:
        """The number of training rows."""
        return int(self._targets.shape[0])

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The training inputs by name."""
        return self._inputs

    @property
    def targets(self) -> Array:
        """The training targets."""
        return self._targets

    def column(self, name: str) -> Array | None:
        """Returns a column that is no input; None where there is none of this name.

        Args:
            name: the column.

        Returns:
            Shape (rows, ...).
        """
        return self._columns.get(name)

    def take(self, rows: npt.ArrayLike, *, validation: npt.ArrayLike | None = None) -> "ArrayDataProvider[T_co]":
        """Makes a provider of some training rows.

        Args:
            rows: which, counted from 0, in their new order.
            validation: the training rows that become its validation rows; None for none.

        Returns:
            The provider; its arrays are copies of the rows.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        held = None if validation is None else np.asarray(validation, dtype=np.int64)
        return ArrayDataProvider(
            {name: array[chosen] for name, array in self._inputs.items()},
            self._targets[chosen],
            validation=None
            if held is None
            else ({name: array[held] for name, array in self._inputs.items()}, self._targets[held]),
            columns={name: column[chosen] for name, column in self._columns.items()},
            metadata=self._metadata,
            seed=self._seed,
            device=self._device,
        )

    def get_training_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> "ArrayIterator[T_co]":
        """Starts an iterator over the training rows; see `DataProvider.get_training_data`."""
        raise_if_done(ctx, _OP)
        return ArrayIterator(
            self._inputs,
            self._targets,
            batch_size=config.batch_size,
            seed=self._seed if config.shuffle else None,
            drop_last=config.drop_last,
            device=self._device,
        )

    def get_validation_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> "ArrayIterator[T_co]":
        """Starts an iterator over the validation rows, in their order; see `DataProvider.get_validation_data`."""
        raise_if_done(ctx, _OP)
        inputs, targets = self._validation or (
            {name: array[:0] for name, array in self._inputs.items()},
            self._targets[:0],
        )
        return ArrayIterator(inputs, targets, batch_size=config.batch_size, device=self._device)

    def get_metadata(self) -> Mapping[str, Any]:
        """Returns `rows`, `validation_rows`, `input_shapes`, `target_shape`, the columns and further entries."""
        return {
            "rows": self.rows,
            "validation_rows": 0 if self._validation is None else self._validation[1].shape[0],
            "input_shapes": {name: array.shape[1:] for name, array in self._inputs.items()},
            "target_shape": self._targets.shape[1:],
            **self._columns,
            **self._metadata,
        }

    def close(self) -> None:
        """Does nothing: the arrays belong to the caller."""


class ArrayIterator(Iteration[T_co]):
    """Cuts arrays into batches; every method may be called from any thread.

    Args:
        inputs: arrays by input name, all of one length.
        targets: an array of that length.
        batch_size: rows per batch.
        seed: of the order of the rows; None for their own order.
        drop_last: whether to leave out a last batch with fewer rows.
        device: where the batches go.

    Example:
        `ArrayDataProvider` makes them.
    """

    def __init__(
        self,
        inputs: Mapping[str, Array],
        targets: Array,
        *,
        batch_size: int,
        seed: int | None = None,
        drop_last: bool = False,
        device: str = "cpu",
    ) -> None:
        self._inputs = inputs
        self._targets = targets
        self._batch_size = batch_size
        self._seed = seed
        rows = int(targets.shape[0])
        self._rows = rows - rows % batch_size if drop_last else rows
        self._device = device
        self._lock = threading.Lock()
        self._epoch = 0
        self._rewind()

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch; see `DataIterator.next`."""
        with self._lock:
            stopped = cancellation(ctx, "next")
            if stopped is not None:
                self._closed, self._error = True, stopped
            self._batch: Batch[T_co] | None = None
            if self._closed or self._start >= self._rows:
                return False
            stop = min(self._start + self._batch_size, self._rows)
            chosen = self._chosen(self._start, stop)
            self._batch = Batch(
                inputs={name: ts.asarray(array[chosen], device=self._device) for name, array in self._inputs.items()},
                targets=ts.asarray(self._targets[chosen], device=self._device),
            )
            self._start = stop
            return True

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; see `DataIterator.batch`."""
        return self._batch

    def error(self) -> Exception | None:
        """Returns the error of a cancelled `next`; otherwise None."""
        return self._error

    def close(self) -> None:
        """Ends the iteration until `reset`."""
        with self._lock:
            self._closed, self._batch = True, None

    def reset(self) -> None:
        """Begins the next epoch, in a new order where rows are shuffled; before the first batch it changes nothing."""
        with self._lock:
            self._epoch += self._start > 0
            self._rewind()

    def state_dict(self) -> dict[str, int]:
        """Returns the epoch and the rows that were given in it."""
        return {"epoch": self._epoch, "rows": self._start}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place; see `ResumableIterator.load_state_dict`."""
        epoch, rows = place_of(state, {"epoch": None, "rows": self._rows}, _OP)
        with self._lock:
            self._epoch = epoch
            self._rewind()
            self._start = rows

    def _rewind(self) -> None:
        self._start = 0
        self._batch = None
        self._closed = False
        self._error: Exception | None = None
        self._block: tuple[int, Array] = (0, np.zeros(0, np.int64))
        self._order = None if self._seed is None else Permutation(self._targets.shape[0], self._seed, self._epoch)

    def _chosen(self, start: int, stop: int) -> slice | Array:
        if self._order is None:
            return slice(start, stop)
        first, block = self._block
        if start < first or stop > first + block.size:
            end: int = min(self._targets.shape[0], max(stop, start + _BLOCK))
            first, block = self._block = (start, self._order.at(np.arange(start, end, dtype=np.int64)))
        return block[start - first : stop - first]


def _arrays(
    inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike], targets: npt.ArrayLike
) -> tuple[dict[str, Array], Array]:
    named = inputs if isinstance(inputs, Mapping) else {"x": inputs}
    found = {name: np.asarray(array) for name, array in named.items()}
    target = np.asarray(targets)
    if not found or any(array.dtype.kind in "OSUmMV" for array in (*found.values(), target)):
        raise worded(
            DataError,
            _OP,
            "inputs and targets must hold numbers",
            expected="at least one input, of a numeric or bool dtype",
            got=shown({name: str(array.dtype) for name, array in {**found, "targets": target}.items()}),
            step="convert the arrays first",
        )
    every = {**found, "targets": target}
    if any(array.ndim == 0 for array in every.values()) or len({array.shape[0] for array in every.values()}) > 1:
        raise _ragged(every)
    return found, target


def _ragged(arrays: Mapping[str, Array]) -> ShapeError:
    return worded(
        ShapeError,
        _OP,
        "all arrays must have the same number of rows",
        expected="shapes (rows, ...)",
        got=", ".join(f"{name} {array.shape}" for name, array in arrays.items()),
        step="pass arrays of equal length",
    )
