"""Where batches come from: iterators, providers, sequences."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from trainsmith.training._batch import Batch
from trainsmith.training._config import BatchConfig, SplitConfig
from trainsmith.training._context import RunContext
from trainsmith.training._element import T, T_co
from trainsmith.training._experiment_config import SequenceConfig


@runtime_checkable
class DataIterator(Protocol[T_co]):
    """Gives batches one after the other. Laws: `trainsmith.testing.check_data_iterator`."""

    def next(self, *, ctx: RunContext | None = None) -> bool:
        """Goes to the next batch.

        Args:
            ctx: ends the iteration once it is done; `error` says so.

        Returns:
            Whether there is one. After False, `error` tells the end from a failure.
        """
        ...

    def batch(self) -> Batch[T_co] | None:
        """Returns the current batch; None before the first `next`, and after `next` returned False."""
        ...

    def error(self) -> Exception | None:
        """Returns what ended the iteration early; None at its natural end."""
        ...

    def close(self) -> None:
        """Releases what the iterator holds; `next` returns False from then on. Closing twice is fine."""
        ...

    def reset(self) -> None:
        """Goes back before the first batch and forgets the error; a closed iterator lives again."""
        ...


@runtime_checkable
class ResumableIterator(DataIterator[T_co], Protocol[T_co]):
    """A data iterator whose place can be kept and found again; every iterator of the package is one.

    The laws are those of `trainsmith.testing.check_data_iterator`.
    """

    def state_dict(self) -> Mapping[str, int]:
        """Returns the place: whole numbers by name, so that it fits any checkpoint.

        The current batch counts as given. An iteration that was cancelled keeps its place.
        """
        ...

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place, also after `close` or an error: the next batch is the one that came next there.

        Args:
            state: what `state_dict` returned, of an iterator over the same data with the same settings.

        Raises:
            DataError: an entry is missing or no place of this iterator; nothing has changed then.
        """
        ...


@runtime_checkable
class DataProvider(Protocol[T_co]):
    """Gives training and validation data. Laws: `trainsmith.testing.check_data_provider`."""

    def get_training_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> DataIterator[T_co]:
        """Starts an iterator over the training rows.

        Args:
            config: how rows are cut into batches. With `shuffle`, each `reset` draws a new order.
            ctx: may end the work before it starts.

        Returns:
            A new iterator, before its first batch.
        """
        ...

    def get_validation_data(self, config: BatchConfig, *, ctx: RunContext | None = None) -> DataIterator[T_co]:
        """Starts an iterator over the validation rows, in a fixed order, all of them.

        Args:
            config: the rows per batch; `shuffle` and `drop_last` do not apply.
            ctx: may end the work before it starts.

        Returns:
            A new iterator; it ends at once where there are no validation rows.
        """
        ...

    def get_metadata(self) -> Mapping[str, Any]:
        """Returns what is known about the data, such as the number of rows."""
        ...

    def close(self) -> None:
        """Releases what the provider holds. Closing twice is fine."""
        ...


@runtime_checkable
class SequenceProvider(Protocol[T]):
    """Cuts a data set into sequences and splits. Laws: `trainsmith.testing.check_sequence_provider`."""

    def generate_sequences(
        self, dataset: DataProvider[T], config: SequenceConfig, *, ctx: RunContext | None = None
    ) -> Sequence[DataProvider[T]]:
        """Makes training sequences.

        Args:
            dataset: its training rows, in their order.
            config: length, number and strategy.
            ctx: may end the work early.

        Returns:
            One provider per sequence; equal seeds give equal sequences.
        """
        ...

    def generate_train_validation_split(
        self, dataset: DataProvider[T], config: SplitConfig, *, ctx: RunContext | None = None
    ) -> tuple[DataProvider[T], DataProvider[T]]:
        """Divides the training rows of a data set in two.

        Args:
            dataset: the rows.
            config: share of the validation rows and strategy.
            ctx: may end the work early.

        Returns:
            Training and validation part, disjoint, together all rows. Both give their rows as training data.
        """
        ...

    def set_random_seed(self, seed: int) -> None:
        """Sets the seed of later calls.

        Args:
            seed: 0 to 2**64 - 1.
        """
        ...
