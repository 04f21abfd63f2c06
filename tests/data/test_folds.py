from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import model_selection as sk

from trainsmith.data import (
    GroupKFold,
    KFold,
    PurgedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    WalkForward,
    window_purge,
)
from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.training import create_windows

ROWS = st.integers(2, 60)
FOLDS = st.integers(2, 8)
SEEDS = st.integers(0, 2**32 - 1)


def folds_of(splitter, rows, y=None, groups=None):
    X = np.zeros((rows, 1))
    folds = list(splitter.split(X, y, groups))
    assert len(folds) == splitter.get_n_splits(X, y, groups)
    for train, test in folds:
        assert train.dtype == test.dtype == np.int64
        assert np.all(np.diff(train) > 0)
        assert np.all(np.diff(test) > 0)
        assert not set(train.tolist()) & set(test.tolist())
        assert train.size
        assert test.size
    return [(train.tolist(), test.tolist()) for train, test in folds]


def reference(splitter, rows, y=None, groups=None):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(np.zeros((rows, 1)), y, groups)]


@given(ROWS, FOLDS, SEEDS, st.booleans())
def test_k_fold_is_that_of_scikit_learn(rows, folds, seed, shuffle):
    assume(rows >= folds)
    options = {"shuffle": True, "random_state": seed} if shuffle else {}
    assert folds_of(KFold(folds, **options), rows) == reference(sk.KFold(folds, **options), rows)


@pytest.mark.filterwarnings("ignore:The least populated class")
@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=60), FOLDS, SEEDS, st.booleans())
def test_stratified_k_fold_is_that_of_scikit_learn(labels, folds, seed, shuffle):
    assume(max(labels.count(one) for one in labels) >= folds)
    options = {"shuffle": True, "random_state": seed} if shuffle else {}
    ours = folds_of(StratifiedKFold(folds, **options), len(labels), labels)
    assert ours == reference(sk.StratifiedKFold(folds, **options), len(labels), labels)


@given(st.integers(3, 60), st.integers(2, 6), st.integers(0, 4), st.integers(0, 5), st.integers(0, 10))
def test_time_series_split_is_that_of_scikit_learn(rows, folds, gap, size, longest):
    options = {"gap": gap, "test_size": size or None, "max_train_size": longest or None}
    assume(folds < rows)
    assume(rows - gap - (size or rows // (folds + 1)) * folds > 0)
    ours = folds_of(TimeSeriesSplit(folds, **options), rows)
    assert ours == reference(sk.TimeSeriesSplit(folds, **options), rows)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8, unique=True), st.integers(2, 5), st.randoms())
def test_group_k_fold_is_that_of_scikit_learn_where_sizes_differ(sizes, folds, random):
    assume(len(sizes) >= folds)
    groups = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    random.shuffle(groups)
    ours = folds_of(GroupKFold(folds), len(groups), groups=groups)
    assert ours == reference(sk.GroupKFold(folds), len(groups), groups=np.array(groups))


@given(st.lists(st.integers(0, 6), min_size=2, max_size=50), st.integers(2, 5))
def test_group_k_fold_separates_no_group_and_tests_every_row_once(groups, folds):
    assume(len(set(groups)) >= folds)
    found = folds_of(GroupKFold(folds), len(groups), groups=groups)
    assert sorted(row for _, test in found for row in test) == list(range(len(groups)))
    for train, test in found:
        assert not {groups[row] for row in train} & {groups[row] for row in test}


def test_equal_groups_go_by_name_to_the_first_of_the_smallest_folds():
    groups = ["c", "c", "a", "a", "b", "b", "d"]
    assert [test for _, test in folds_of(GroupKFold(2), 7, groups=groups)] == [[0, 1, 2, 3], [4, 5, 6]]


def test_layouts_of_the_specification():
    assert [test for _, test in folds_of(KFold(3), 10)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    tests = [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    for gap, ends in ((0, (3, 6, 9)), (1, (2, 5, 8))):
        found = folds_of(TimeSeriesSplit(3, gap=gap), 12)
        assert found == [(list(range(end)), test) for end, test in zip(ends, tests, strict=True)]
    found = folds_of(TimeSeriesSplit(2, test_size=2, gap=2), 10)
    assert found == [([0, 1, 2, 3], [6, 7]), ([0, 1, 2, 3, 4, 5], [8, 9])]
    purged = folds_of(PurgedKFold(3, purge=1), 10)
    assert purged == [([5, 6, 7, 8, 9], [0, 1, 2, 3]), ([0, 1, 2, 8, 9], [4, 5, 6]), ([0, 1, 2, 3, 4, 5], [7, 8, 9])]


def test_a_share_of_the_rows_is_a_test_size():
    assert [test for _, test in folds_of(TimeSeriesSplit(2, test_size=0.25), 12)] == [[6, 7, 8], [9, 10, 11]]


@given(st.integers(4, 60), st.integers(2, 5), st.integers(0, 3), st.integers(0, 3))
def test_purged_folds_keep_their_gaps(rows, folds, purge, embargo):
    assume(rows > folds * (2 * purge + embargo + 1))
    found = folds_of(PurgedKFold(folds, purge=purge, embargo=embargo), rows)
    assert sorted(row for _, test in found for row in test) == list(range(rows))
    for train, test in found:
        left = range(test[0] - purge, test[-1] + 1 + purge + embargo)
        assert train == [row for row in range(rows) if row not in left]


@given(
    rows=st.integers(8, 60),
    train=st.integers(1, 10),
    test=st.integers(1, 4),
    step=st.integers(1, 6),
    purge=st.integers(0, 3),
    embargo=st.integers(0, 2),
    expanding=st.booleans(),
)
def test_walk_forward_trains_on_the_past_only(rows, train, test, step, purge, embargo, expanding):
    assume(rows >= train + purge + test)
    assume(not embargo or train > 3 * embargo + test)
    options = {"step": step, "purge": purge, "embargo": embargo, "expanding": expanding}
    found = folds_of(WalkForward(train, test, **options), rows)
    assert [tests[0] for _, tests in found] == list(range(train + purge, rows - test + 1, step))
    for fold, (trained, tested) in enumerate(found):
        end = tested[0] - purge
        held = {row for _, tests in found[:fold] for row in range(tests[-1] + 1, tests[-1] + 1 + embargo)}
        begin = 0 if expanding else end - train
        assert trained == [row for row in range(begin, end) if row not in held]
        assert len(tested) == test


@given(
    rows=st.integers(8, 80),
    train=st.integers(1, 12),
    test=st.integers(1, 5),
    purge=st.integers(0, 4),
    expanding=st.booleans(),
)
def test_walk_forward_is_that_of_skfolio(rows, train, test, purge, expanding):
    assume(rows >= train + purge + test)
    ours = folds_of(WalkForward(train, test, purge=purge, expanding=expanding), rows)
    skfolio = pytest.importorskip("skfolio.model_selection")
    theirs = skfolio.WalkForward(test_size=test, train_size=train, purged_size=purge, expand_train=expanding)
    assert ours == reference(theirs, rows)


@given(
    folds=st.integers(3, 7),
    size=st.integers(2, 12),
    tested=st.integers(2, 3),
    purge=st.integers(0, 5),
    embargo=st.integers(0, 5),
)
def test_purged_folds_are_the_parts_of_those_of_skfolio(folds, size, tested, purge, embargo):
    """skfolio tests on several folds at once: its training rows are those that each of ours leaves."""
    assume(tested < folds and purge + embargo < size - 1)
    skfolio = pytest.importorskip("skfolio.model_selection")
    # Whole folds: rows that are left over go to the first folds here and to the last one there.
    rows = folds * size
    ours = folds_of(PurgedKFold(folds, purge=purge, embargo=embargo), rows)
    theirs = skfolio.CombinatorialPurgedCV(folds, tested, purged_size=purge, embargo_size=embargo)
    found = list(theirs.split(np.zeros((rows, 1))))
    for chosen, (train, tests) in zip(combinations(ours, tested), found, strict=True):
        assert [one.tolist() for one in tests] == [test for _, test in chosen]
        assert train.tolist() == sorted(set.intersection(*(set(kept) for kept, _ in chosen)))


@given(st.integers(1, 6), st.integers(0, 4))
def test_the_purge_of_windows_separates_them(length, horizon):
    rows = np.arange(120.0)[:, None]
    purge = window_purge(length, horizon)
    for splitter in (PurgedKFold(3, purge=purge), WalkForward(30, 12, purge=purge)):
        for train, test in splitter.split(rows):
            tests = set(test.tolist())
            for part in np.split(train, np.flatnonzero(np.diff(train) > 1) + 1):
                windows, labels = create_windows(rows[part], length, horizon=horizon, allow_leak=True)
                spanned = {int(row) for row in (*windows.ravel(), *labels)}
                assert not spanned & tests
            # Windows that end in the test rows reach back at most to the gap.
            assert not set(range(int(test[0]) - purge, int(test[0]))) & set(train.tolist())


@pytest.mark.parametrize("kind", [KFold, StratifiedKFold, GroupKFold, TimeSeriesSplit, PurgedKFold])
@pytest.mark.parametrize("folds", [1, 0, -1, 2.0, True])
def test_fewer_than_two_folds_are_refused(kind, folds):
    with pytest.raises(ConfigError, match="n_splits"):
        kind(folds)


@pytest.mark.parametrize(
    ("error", "splitter", "arguments"),
    [
        (DataError, KFold(5), {}),
        (DataError, PurgedKFold(5), {}),
        (DataError, TimeSeriesSplit(4), {}),
        (DataError, TimeSeriesSplit(2, test_size=2), {}),
        (DataError, TimeSeriesSplit(2, gap=2), {}),
        (DataError, PurgedKFold(2, purge=2), {}),
        (DataError, WalkForward(3, 2), {}),
        (DataError, GroupKFold(3), {"groups": [0, 0, 1, 1]}),
        (DataError, StratifiedKFold(3), {"y": [0, 0, 1, 1]}),
        (DataError, StratifiedKFold(2), {"y": [0.5, 1.5, 2.5, 3.5]}),
        (ShapeError, GroupKFold(2), {}),
        (ShapeError, StratifiedKFold(2), {"y": [0, 1]}),
    ],
)
def test_rows_that_fill_no_folds_are_refused(error, splitter, arguments):
    with pytest.raises(error, match=r"expected .*, got .*; "):
        list(splitter.split(np.zeros(4), **arguments))


@pytest.mark.parametrize(
    "build",
    [
        lambda: TimeSeriesSplit(gap=-1),
        lambda: TimeSeriesSplit(test_size=0),
        lambda: TimeSeriesSplit(test_size=1.0),
        lambda: TimeSeriesSplit(test_size=-0.5),
        lambda: TimeSeriesSplit(max_train_size=0),
        lambda: PurgedKFold(purge=-1),
        lambda: PurgedKFold(embargo=-1),
        lambda: WalkForward(0, 1),
        lambda: WalkForward(1, 0),
        lambda: WalkForward(1, 1, step=0),
        lambda: WalkForward(1, 1, purge=-1),
        lambda: KFold(random_state=1),
        lambda: KFold(shuffle=True, random_state=-1),
        lambda: window_purge(0),
    ],
)
def test_arguments_out_of_range_are_refused(build):
    with pytest.raises(ConfigError):
        build()


def test_rows_are_needed():
    with pytest.raises(ShapeError, match="X must have rows"):
        list(KFold().split(None))


def test_large_seeds_are_taken():
    tests = {str(folds_of(KFold(2, shuffle=True, random_state=seed), 20)) for seed in (1, 2**32 + 1, 2**64 - 1)}
    assert len(tests) == 3
