import numpy as np
import pytest

from trainsmith.errors import CancelledError, ConfigError, DataError
from trainsmith.testing import check_sequence_provider
from trainsmith.training import (
    ArrayDataProvider,
    BatchConfig,
    DataIteratorAdapter,
    DefaultSequenceProvider,
    RunContext,
    SequenceConfig,
    SplitConfig,
)

ROWS = ArrayDataProvider(np.zeros((20, 2)), np.arange(20.0))
CLASSES = ArrayDataProvider(np.zeros((20, 2)), np.repeat([0, 1], [15, 5]), columns={"group": np.arange(20) // 4})


def targets_of(providers):
    return [one.targets.tolist() for one in providers]


def sequences(strategy, length=6, count=0, seed=0, **options):
    config = SequenceConfig(max_seq_len=length, num_sequences=count, strategy=strategy)
    return targets_of(DefaultSequenceProvider(seed, **options).generate_sequences(ROWS, config))


@pytest.mark.parametrize("strategy", ["consecutive", "random", "curriculum"])
def test_every_strategy_keeps_the_laws(strategy):
    check_sequence_provider(
        DefaultSequenceProvider(), ROWS, config=SequenceConfig(max_seq_len=4, num_sequences=3, strategy=strategy)
    )


@pytest.mark.parametrize("strategy", ["auto", "random", "chronological"])
def test_every_split_keeps_the_laws(strategy):
    check_sequence_provider(DefaultSequenceProvider(), ROWS, split=SplitConfig(strategy=strategy))


def test_consecutive_sequences_cover_the_rows_once():
    assert sequences("consecutive") == [list(range(at, min(at + 6, 20))) for at in (0, 6, 12, 18)]
    assert sequences("consecutive", count=2) == [list(range(6)), list(range(6, 12))]
    assert sequences("consecutive", length=100) == [list(range(20))]


def test_random_sequences_are_neighbours_with_different_starts():
    found = sequences("random", count=15)
    assert sorted(one[0] for one in found) == list(range(15))
    assert all(one == list(range(int(one[0]), int(one[0]) + 6)) for one in found)
    assert sequences("random", count=15, seed=1) != found == sequences("random", count=15)
    assert len(sequences("random", count=40)) == 40


def test_a_curriculum_grows():
    lengths = [len(one) for one in sequences("curriculum", length=10, count=5)]
    assert lengths == [2, 4, 6, 8, 10]


def test_a_curriculum_by_difficulty_goes_from_easy_to_hard():
    found = sequences("curriculum", count=5, difficulty=lambda one: -one.targets.mean())
    assert [one[0] for one in found] == sorted((one[0] for one in found), reverse=True)
    assert {len(one) for one in found} == {6}


def test_a_stratified_split_keeps_the_shares():
    provider = DefaultSequenceProvider()
    for strategy in ("auto", "stratified"):
        config = SplitConfig(strategy=strategy, validation_ratio=0.4)
        _, validation = provider.generate_train_validation_split(CLASSES, config)
        assert np.bincount(validation.targets).tolist() == [6, 2]


def test_a_group_split_separates_no_group():
    config = SplitConfig(strategy="group", validation_ratio=0.4)
    train, validation = DefaultSequenceProvider().generate_train_validation_split(CLASSES, config)
    assert not set(train.column("group")) & set(validation.column("group"))


def test_a_chronological_split_validates_on_the_latest_rows():
    times = np.arange(20)[::-1]
    rows = ArrayDataProvider(np.zeros((20, 2)), times, columns={"time": times})
    config = SplitConfig(strategy="chronological", validation_ratio=0.25)
    train, validation = DefaultSequenceProvider().generate_train_validation_split(rows, config)
    assert train.targets.max() < validation.targets.min()


def test_both_seeds_decide_the_split():
    def split(seed, inner):
        provider = DefaultSequenceProvider(seed)
        parts = provider.generate_train_validation_split(ROWS, SplitConfig(strategy="random", random_seed=inner))
        return parts[1].targets.tolist()

    assert split(1, 2) == split(1, 2)
    assert len({tuple(split(seed, inner)) for seed in range(3) for inner in range(3)}) > 5


class Streamed:
    """A provider that has iterators only."""

    def get_training_data(self, config, *, ctx=None):
        return DataIteratorAdapter(list(ROWS.get_training_data(BatchConfig(batch_size=7, shuffle=False))))

    def get_validation_data(self, config, *, ctx=None):
        return DataIteratorAdapter([])

    def get_metadata(self):
        return {"group": np.arange(20), "name": "n"}

    def close(self):
        pass


def test_any_provider_is_read():
    found = DefaultSequenceProvider().generate_sequences(Streamed(), SequenceConfig(max_seq_len=8))
    assert targets_of(found) == [list(range(8)), list(range(8, 16)), list(range(16, 20))]
    assert found[1].column("group").tolist() == list(range(8, 16))
    assert found[1].get_metadata()["name"] == "n"


def test_the_weights_of_any_provider_are_kept():
    class Weighted(Streamed):
        def get_training_data(self, config, *, ctx=None):
            rows = ArrayDataProvider(ROWS.inputs, ROWS.targets, weights=np.arange(1, 21))
            return rows.get_training_data(BatchConfig(batch_size=7, shuffle=False))

    found = DefaultSequenceProvider().generate_sequences(Weighted(), SequenceConfig(max_seq_len=8))
    batch = next(found[1].get_training_data(BatchConfig(shuffle=False)))
    assert batch.weights.tolist() == list(range(9, 17))


def test_what_gives_no_sequences_is_refused():
    provider = DefaultSequenceProvider()
    with pytest.raises(DataError, match="rows"):
        provider.generate_sequences(ArrayDataProvider(np.zeros((0, 1)), np.zeros(0)), SequenceConfig())
    with pytest.raises(CancelledError):
        provider.generate_train_validation_split(ROWS, SplitConfig(), ctx=RunContext(timeout=0))
    for strategy, rows in (("walk_forward", ROWS), ("group", ROWS)):
        with pytest.raises(ConfigError, match="split must be possible"):
            provider.generate_train_validation_split(rows, SplitConfig(strategy=strategy))
    with pytest.raises(DataError, match="classes"):
        provider.generate_train_validation_split(
            ArrayDataProvider(np.zeros((4, 1)), np.array([0.5, 1, 2, 3])), SplitConfig(strategy="stratified")
        )
    with pytest.raises(ConfigError, match="seed"):
        provider.set_random_seed(-1)


class Careless(DefaultSequenceProvider):
    def set_random_seed(self, seed):
        super().set_random_seed(int(np.random.default_rng().integers(2**40)))


class Overlapping(DefaultSequenceProvider):
    def generate_train_validation_split(self, dataset, config, *, ctx=None):
        train, _ = super().generate_train_validation_split(dataset, config, ctx=ctx)
        return train, train


@pytest.mark.parametrize(("kind", "law"), [(Careless, "equal seeds"), (Overlapping, "disjoint")])
def test_the_law_kit_finds_a_broken_provider(kind, law):
    with pytest.raises(AssertionError, match=law):
        check_sequence_provider(kind(), ROWS)
