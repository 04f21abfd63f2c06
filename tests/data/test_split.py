from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.data import split_rows
from trainsmith.errors import ConfigError, DataError, ShapeError

SHARES = st.sampled_from([0.0, 0.1, 0.15, 0.3, 0.45])
SEEDS = st.integers(0, 2**64 - 1)


def assert_partition(split, count, validation, test):
    rows = np.concatenate([split.train, split.validation, split.test])
    assert sorted(rows.tolist()) == list(range(count))
    for part, wanted in ((split.train, True), (split.validation, validation > 0), (split.test, test > 0)):
        assert (part.size > 0) == wanted
        assert part.dtype == np.int64
        assert np.all(np.diff(part) > 0)


@given(st.integers(3, 200), SHARES, SHARES, SEEDS)
def test_random_is_a_partition_of_the_right_sizes(count, validation, test, seed):
    split = split_rows(count, validation=validation, test=test, seed=seed)
    assert_partition(split, count, validation, test)
    assert abs(split.test.size - count * test) <= 1
    assert abs(split.validation.size - count * validation) <= 1


@given(st.lists(st.integers(0, 3), min_size=8, max_size=200), SEEDS)
def test_stratified_keeps_shares_and_a_training_row_of_each_class(labels, seed):
    split = split_rows(len(labels), strategy="stratified", validation=0.15, test=0.15, seed=seed, labels=labels)
    assert_partition(split, len(labels), 0.15, 0.15)
    labels = np.array(labels)
    assert set(labels[split.train]) == set(labels)
    if np.unique(labels, return_counts=True)[1].min() >= 5:
        for one in np.unique(labels):
            assert abs((labels[split.test] == one).sum() - (labels == one).sum() * split.test.size / labels.size) < 1


def test_stratified_sizes_are_those_of_a_random_split():
    labels = np.repeat([0, 1], [357, 212])
    split = split_rows(569, strategy="stratified", labels=labels)
    assert split.sizes == split_rows(569).sizes == (399, 85, 85)
    assert np.bincount(labels[split.test]).tolist() == [53, 32]


def test_a_class_of_one_row_is_trained_on():
    labels = [0] * 10 + [1] * 10 + [2]
    for seed in range(20):
        assert 20 in split_rows(21, strategy="stratified", labels=labels, seed=seed).train


@given(st.lists(st.integers(0, 9), min_size=12, max_size=100).filter(lambda g: len(set(g)) >= 3), SHARES, SHARES, SEEDS)
def test_group_never_separates_a_group(groups, validation, test, seed):
    groups = [f"g{one}" for one in groups]
    split = split_rows(len(groups), strategy="group", validation=validation, test=test, seed=seed, groups=groups)
    assert_partition(split, len(groups), validation, test)
    parts = [{groups[row] for row in part.tolist()} for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set(groups))


def test_group_sizes_are_near_their_shares():
    groups = [f"g{row // 5}" for row in range(500)]
    split = split_rows(500, strategy="group", groups=groups, validation=0.2, test=0.1)
    assert split.sizes == (350, 100, 50)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=60).filter(lambda t: len(set(t)) >= 3),
    SHARES,
    SHARES,
)
def test_chronological_trains_on_the_past_only(times, validation, test):
    split = split_rows(len(times), strategy="chronological", validation=validation, test=test, times=times)
    assert_partition(split, len(times), validation, test)
    parts = [[times[row] for row in part.tolist()] for part in (split.train, split.validation, split.test)]
    parts = [part for part in parts if part]
    for earlier, later in pairwise(parts):
        assert max(earlier) < min(later)


def test_chronological_without_times_takes_the_row_order():
    split = split_rows(10, strategy="chronological", validation=0.2, test=0.3)
    assert (split.validation.tolist(), split.test.tolist()) == ([5, 6], [7, 8, 9])


def test_the_seed_decides_the_draw():
    one, again, other = (split_rows(50, seed=seed).test.tolist() for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ConfigError, {"count": 10, "validation": 0.5, "test": 0.5}),
        (ConfigError, {"count": 10, "validation": -0.1}),
        (ConfigError, {"count": 10, "strategy": "other"}),
        (DataError, {"count": 2}),
        (DataError, {"count": 3, "strategy": "stratified", "labels": [0, 1, 2]}),
        (DataError, {"count": 6, "strategy": "group", "groups": list("aaabbb")}),
        (DataError, {"count": 6, "strategy": "chronological", "times": [1, 1, 1, 2, 2, 2]}),
        (ShapeError, {"count": 6, "strategy": "stratified"}),
        (ShapeError, {"count": 6, "strategy": "group", "groups": ["a"]}),
    ],
)
def test_what_cannot_be_divided_is_refused(error, arguments):
    with pytest.raises(error, match="split_rows: "):
        split_rows(**arguments)
