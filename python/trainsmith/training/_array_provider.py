"""Arrays in memory as a data provider, shuffled or drawn by a seekable order."""

from collections.abc import Mapping
from typing import Any, Generic, Literal

import numpy as np
import numpy.typing as npt

from trainsmith.data import Permutation, WeightedOrder, class_weights
from trainsmith.data._gather import Order
from trainsmith.data._weights import checked_weights
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError, ShapeError
from trainsmith.training._array_iterator import ArrayIterator
from trainsmith.training._config import BatchConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._element import T_co

Array = npt.NDArray[Any]
ClassWeights = Mapping[Any, float] | Literal["balanced"]

_OP = "array_data_provider"
_BLOCK = 1 << 16


class ArrayDataProvider(Generic[T_co]):
    """Gives the rows of arrays in batches; the arrays are neither copied nor changed.

    With `shuffle`, the order of epoch e depends on `seed` and e alone; each `reset` of an iterator begins the next. The
    arrays must not change while an iterator is used: a thread gathers batches ahead.

    Args:
        inputs: one array of shape (rows, ...), which becomes the input `x`; or such arrays by input name.
        targets: shape (rows, ...).
        validation: inputs and targets of the validation rows; None for none.
        weights: of the training rows in the loss, at least 0, shape (rows,), which become `Batch.weights`; None for
            equal weights.
        class_weights: a weight by class, or `balanced`, by which the weights of the training rows are multiplied; the
            targets are then the classes.
        sampling: weights, shape (rows,), in proportion to which training rows are drawn with replacement instead of
            shuffled; or `balanced`, to draw all classes equally often. As many draws as rows are an epoch.
        validation_weights: of the validation rows in the loss, shape (rows,).
        columns: further values of each row that are no input, such as groups or times, by name; they are metadata and
            follow the rows in `take`.
        metadata: further entries of the metadata.
        seed: of the shuffles, at least 0.
        device: where the batches go.
        allow_non_finite: whether NaN and infinite numbers are accepted, in inputs and targets.

    Raises:
        ShapeError: arrays without rows, or of different lengths.
        DataError: no input, an array of objects, a number that is not finite, or weights that are none.
        ConfigError: a class without a weight.

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
        weights: npt.ArrayLike | None = None,
        class_weights: ClassWeights | None = None,
        sampling: npt.ArrayLike | Literal["balanced"] | None = None,
        validation_weights: npt.ArrayLike | None = None,
        columns: Mapping[str, npt.ArrayLike] | None = None,
        metadata: Mapping[str, Any] | None = None,
        seed: int = 0,
        device: str = "cpu",
        allow_non_finite: bool = False,
    ) -> None:
        self._inputs, self._targets = _arrays(inputs, targets, allow_non_finite)
        self._validation = None if validation is None else _arrays(*validation, allow_non_finite)
        self._columns = {name: np.asarray(column) for name, column in (columns or {}).items()}
        for name, column in self._columns.items():
            if column.ndim == 0 or column.shape[0] != self.rows:
                raise _ragged({name: column, "targets": self._targets})
        self._weights = _weights(weights, self._targets)
        self._class_weights: ClassWeights | None = class_weights
        self._by_class = None if class_weights is None else _by_class(self._targets, class_weights)
        self._sampling: npt.ArrayLike | Literal["balanced"] | None = sampling
        self._chances = None if sampling is None else _chances(self._targets, sampling)
        held = self._targets[:0] if self._validation is None else self._validation[1]
        self._validation_weights = _weights(validation_weights, held)
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
        weights, sampling = self._weights, self._sampling
        return ArrayDataProvider(
            {name: array[chosen] for name, array in self._inputs.items()},
            self._targets[chosen],
            validation=None
            if held is None
            else ({name: array[held] for name, array in self._inputs.items()}, self._targets[held]),
            weights=None if weights is None else weights[chosen],
            class_weights=self._class_weights,
            sampling=sampling if sampling is None or isinstance(sampling, str) else np.asarray(sampling)[chosen],
            validation_weights=None if weights is None or held is None else weights[held],
            columns={name: column[chosen] for name, column in self._columns.items()},
            metadata=self._metadata,
            seed=self._seed,
            device=self._device,
            allow_non_finite=True,
        )

    def get_training_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> "ArrayIterator[T_co]":
        """Starts an iterator over the training rows; see `DataProvider.get_training_data`."""
        raise_if_done(ctx, _OP)
        weights = self._weights
        if self._by_class is not None:
            weights = self._by_class if weights is None else weights * self._by_class
        return ArrayIterator(
            tuple(self._inputs),
            [*self._inputs.values(), self._targets, *self._as_source(weights)],
            batch_size=config.batch_size,
            order=self._order if config.shuffle else None,
            drop_last=config.drop_last,
            device=self._device,
            workers=config.num_workers,
        )

    def get_validation_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> "ArrayIterator[T_co]":
        """Starts an iterator over the validation rows, in their order; see `DataProvider.get_validation_data`."""
        raise_if_done(ctx, _OP)
        inputs, targets = self._validation or (
            {name: array[:0] for name, array in self._inputs.items()},
            self._targets[:0],
        )
        return ArrayIterator(
            tuple(inputs),
            [*inputs.values(), targets, *self._as_source(self._validation_weights)],
            batch_size=config.batch_size,
            device=self._device,
            workers=config.num_workers,
        )

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

    def _order(self, epoch: int) -> Order:
        if self._chances is not None:
            return WeightedOrder(self._chances, self._seed, epoch)
        return Permutation(self.rows, self._seed, epoch)

    def _as_source(self, weights: Array | None) -> list[Array]:
        """Returns weights in the dtype of the first float input."""
        if weights is None:
            return []
        floats = [array.dtype for array in (*self._inputs.values(), self._targets) if array.dtype.kind == "f"]
        return [weights.astype(floats[0] if floats else np.float32)]


def _arrays(
    inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike], targets: npt.ArrayLike, allow_non_finite: bool
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
    if not allow_non_finite:
        for name, array in every.items():
            _check_finite(name, array)
    return found, target


def _check_finite(name: str, array: Array) -> None:
    """Refuses NaN and infinities, a block of rows at a time, so that a memory map is not read into memory whole."""
    if array.dtype.kind != "f":
        return
    for start in range(0, array.shape[0], _BLOCK):
        block = array[start : start + _BLOCK]
        if not np.isfinite(block).all():
            place = np.argwhere(~np.isfinite(block))[0]
            raise worded(
                DataError,
                _OP,
                f"{name} must hold finite numbers",
                expected="finite numbers",
                got=f"{block[tuple(place)]} in row {start + int(place[0])}",
                step="fill or leave out the row, or pass allow_non_finite=True",
            )


def _ragged(arrays: Mapping[str, Array]) -> ShapeError:
    return worded(
        ShapeError,
        _OP,
        "all arrays must have the same number of rows",
        expected="shapes (rows, ...)",
        got=", ".join(f"{name} {array.shape}" for name, array in arrays.items()),
        step="pass arrays of equal length",
    )


def _weights(weights: npt.ArrayLike | None, targets: Array) -> Array | None:
    if weights is None:
        return None
    found = checked_weights(weights, _OP) if targets.shape[0] else np.asarray(weights, np.float64)
    if found.shape != targets.shape[:1]:
        raise _ragged({"weights": found, "targets": targets})
    return found


def _by_class(targets: Array, weights: ClassWeights) -> Array:
    return class_weights(targets, weights) if targets.shape[0] else np.zeros(0)


def _chances(targets: Array, sampling: npt.ArrayLike | Literal["balanced"]) -> Array | None:
    if isinstance(sampling, str):
        if sampling != "balanced":
            raise worded(
                DataError,
                _OP,
                "sampling must be weights",
                expected='an array of shape (rows,), or "balanced"',
                got=shown(sampling),
                step="pass one of them",
            )
        return _by_class(targets, "balanced") if targets.shape[0] else None
    return _weights(sampling, targets) if targets.shape[0] else None
