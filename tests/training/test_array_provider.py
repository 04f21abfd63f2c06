import numpy as np
import pytest

from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.testing._data_laws import check_data_iterator, check_data_provider
from trainsmith.training import ArrayDataProvider, BatchConfig, DataIteratorAdapter

X, Y = np.arange(22.0, dtype=np.float32).reshape(11, 2), np.arange(11.0)
SHUFFLED = BatchConfig(batch_size=3)
PLAIN = BatchConfig(batch_size=3, shuffle=False)


def rows_of(iterator):
    return [int(row) for batch in iterator for row in np.asarray(batch.targets)]


def test_the_provider_keeps_the_laws():
    check_data_provider(ArrayDataProvider(X, Y))
    check_data_provider(ArrayDataProvider({"a": X, "b": Y}, Y, validation=({"a": X[:3], "b": Y[:3]}, Y[:3])))


def test_inputs_and_targets_stay_together():
    for batch in ArrayDataProvider({"a": X, "b": Y}, Y).get_training_data(SHUFFLED):
        targets = np.asarray(batch.targets)
        assert np.array_equal(np.asarray(batch.inputs["a"])[:, 0], 2 * targets)
        assert np.array_equal(np.asarray(batch.inputs["b"]), targets)
        assert np.asarray(batch.inputs["a"]).dtype == np.float32


def test_each_epoch_has_its_order_and_the_seed_decides_it():
    orders = []
    for _ in range(2):
        iterator = ArrayDataProvider(X, Y, seed=4).get_training_data(SHUFFLED)
        iterator.reset()
        epochs = []
        for _ in range(3):
            epochs.append(rows_of(iterator))
            iterator.reset()
        orders.append(epochs)
    assert orders[0] == orders[1]
    assert len({tuple(epoch) for epoch in orders[0]}) == 3
    assert rows_of(ArrayDataProvider(X, Y, seed=5).get_training_data(SHUFFLED)) != orders[0][0]


def test_an_iterator_continues_where_another_stopped():
    iterator = ArrayDataProvider(X, Y, seed=4).get_training_data(SHUFFLED)
    rows_of(iterator)
    iterator.reset()
    assert iterator.next()
    state = iterator.state_dict()
    rest = rows_of(iterator)
    other = ArrayDataProvider(X, Y, seed=4).get_training_data(SHUFFLED)
    other.load_state_dict(state)
    assert rows_of(other) == rest


def test_orders_longer_than_a_block_are_whole():
    many = np.arange(100_000)
    found = ArrayDataProvider(many, many).get_training_data(BatchConfig(batch_size=7001))
    assert sorted(rows_of(found)) == many.tolist()


def test_take_keeps_columns_with_their_rows():
    part = ArrayDataProvider(X, Y, columns={"group": Y * 10}, metadata={"name": "n"}).take([5, 2], validation=[0])
    assert part.column("group").tolist() == [50, 20]
    assert part.get_metadata()["name"] == "n"
    assert rows_of(part.get_training_data(PLAIN)) == [5, 2]
    assert rows_of(part.get_validation_data(PLAIN)) == [0]


@pytest.mark.parametrize(
    ("error", "build"),
    [
        (ShapeError, lambda: ArrayDataProvider(X, Y[:3])),
        (ShapeError, lambda: ArrayDataProvider(X, 1.0)),
        (ShapeError, lambda: ArrayDataProvider(X, Y, columns={"g": [1]})),
        (ShapeError, lambda: ArrayDataProvider(X, Y, validation=(X, Y[:1]))),
        (DataError, lambda: ArrayDataProvider({}, Y)),
        (DataError, lambda: ArrayDataProvider(X, np.where(Y == 4, np.nan, Y))),
        (DataError, lambda: ArrayDataProvider(np.where(X == 4, np.inf, X), Y)),
        (DataError, lambda: ArrayDataProvider(X, Y, validation=(X, Y * np.nan))),
        (DataError, lambda: ArrayDataProvider(X, Y, weights=-Y)),
        (DataError, lambda: ArrayDataProvider(X, Y, sampling=Y * 0)),
        (DataError, lambda: ArrayDataProvider(X, Y, sampling="evenly")),
        (ShapeError, lambda: ArrayDataProvider(X, Y, weights=Y[1:])),
        (ConfigError, lambda: ArrayDataProvider(X, Y, class_weights={0.0: 1.0})),
        (DataError, lambda: ArrayDataProvider(np.array(["a"]), Y[:1])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(error, build):
    with pytest.raises(error, match=r"array_data_provider|class_weights"):
        build()


def test_a_number_that_is_not_finite_names_its_row_and_can_be_accepted():
    with pytest.raises(DataError, match=r"targets must hold finite numbers.*nan in row 4"):
        ArrayDataProvider(X, np.where(Y == 4, np.nan, Y))
    assert ArrayDataProvider(X, Y * np.nan, allow_non_finite=True).rows == 11


def test_weights_follow_their_rows():
    provider = ArrayDataProvider(
        X, Y, weights=Y + 1, validation=(X[:2], Y[:2]), validation_weights=[3.0, 4.0], class_weights=dict.fromkeys(Y, 2)
    )
    for config in (PLAIN, SHUFFLED):
        for batch in provider.get_training_data(config):
            assert np.array_equal(np.asarray(batch.weights), 2 * (np.asarray(batch.targets) + 1))
            assert str(batch.weights.dtype) == "float32"
    (held,) = provider.get_validation_data(PLAIN)
    assert held.weights.tolist() == [3, 4]
    part = provider.take([5, 2], validation=[7])
    assert next(part.get_training_data(PLAIN)).weights.tolist() == [12, 6]
    assert next(part.get_validation_data(PLAIN)).weights.tolist() == [8]
    assert next(ArrayDataProvider(X, Y).get_training_data(PLAIN)).weights is None


def test_balanced_sampling_draws_classes_equally_often():
    classes = np.repeat([0, 1], [900, 100])
    provider = ArrayDataProvider(classes[:, np.newaxis], classes, sampling="balanced", seed=3)
    iterator = provider.get_training_data(BatchConfig(batch_size=64))
    first = rows_of(iterator)
    assert len(first) == 1000
    assert 430 < sum(first) < 570
    iterator.reset()
    assert rows_of(iterator) != first
    check_data_iterator(provider.take(range(880, 1000)).get_training_data(SHUFFLED))
    plain = rows_of(provider.get_training_data(BatchConfig(batch_size=64, shuffle=False)))
    assert plain == classes.tolist()


class Careless(ArrayDataProvider):
    """Shuffles the validation rows and forgets to cancel."""

    fault = ""

    def get_training_data(self, config, *, ctx=None):
        if self.fault == "shared":
            self.one = getattr(self, "one", None) or super().get_training_data(config)
            return self.one
        if self.fault == "batch":
            config = BatchConfig(batch_size=config.batch_size + 1, shuffle=config.shuffle)
        if self.fault == "lost" and config.shuffle:
            return DataIteratorAdapter(list(super().get_training_data(BatchConfig(batch_size=2, shuffle=False)))[:-1])
        return super().get_training_data(config, ctx=None if self.fault == "cancel" else ctx)


@pytest.mark.parametrize(
    ("fault", "law"),
    [("batch", "batch_size"), ("cancel", "cancelled"), ("shared", "batch|iterator"), ("lost", "which rows")],
)
def test_the_law_kit_finds_a_broken_provider(fault, law):
    provider = Careless(X, Y)
    provider.fault = fault
    with pytest.raises(AssertionError, match=law):
        check_data_provider(provider)
