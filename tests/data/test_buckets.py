from itertools import chain

import numpy as np
import pytest

from trainsmith.data import bucket_by_length
from trainsmith.errors import ConfigError, DataError, ShapeError

LENGTHS = np.random.default_rng(0).integers(0, 40, 60)
SEQUENCES = [np.full((length, 2), row + 1, np.float32) for row, length in enumerate(LENGTHS)]


def rows_of(**options):
    return [np.asarray(y).tolist() for _, _, y in bucket_by_length(SEQUENCES, np.arange(60), **options)]


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_sequence_comes_once_with_its_mask(shuffle):
    found = []
    for x, mask, y in bucket_by_length(
        SEQUENCES, np.arange(60), batch_size=7, boundaries=[5, 20, 40], shuffle=shuffle, seed=2, pad=-1
    ):
        x, mask, y = map(np.asarray, (x, mask, y))
        assert x.shape[1] in (5, 20, 40)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask.sum(axis=1), LENGTHS[y])
        assert (np.diff(mask.astype(int), axis=1) <= 0).all(), "real steps come first"
        np.testing.assert_array_equal(x[..., 0], np.where(mask, y[:, None] + 1, -1))
        assert min((5, 20, 40), key=lambda limit: (limit < LENGTHS[y].max(), limit)) == x.shape[1]
        found += y.tolist()
    assert sorted(found) == list(range(60))


def test_the_seed_decides_the_order_and_plain_batches_keep_it():
    one, again, other = (rows_of(batch_size=7, shuffle=True, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    plain = rows_of(batch_size=7)
    assert [rows[0] for rows in plain] == sorted(rows[0] for rows in plain)
    assert all(rows == sorted(rows) for rows in plain)


def test_drop_last_leaves_whole_batches():
    assert {len(rows) for rows in rows_of(batch_size=7, drop_last=True)} == {7}


def test_default_boundaries_are_powers_of_two_up_to_the_longest():
    shapes = {x.shape[1] for x, _ in bucket_by_length([np.ones(n) for n in (1, 8, 9, 37)], batch_size=4)}
    assert shapes == {8, 16, 37}


def test_the_place_is_kept():
    made = bucket_by_length(SEQUENCES, np.arange(60), batch_size=7, shuffle=True, seed=4)
    for _ in range(3):
        next(made)
    state = made.state_dict()
    again = bucket_by_length(SEQUENCES, np.arange(60), batch_size=7, shuffle=True, seed=4)
    again.load_state_dict(state)
    rest = [[np.asarray(y).tolist() for _, _, y in one] for one in (made, again)]
    assert rest[0] == rest[1]
    assert len(rest[0]) == len(again) - 3
    assert sorted(chain(*rest[0])) != list(range(60))
    for broken in ({}, {"batches": -1}, {"batches": 99}):
        with pytest.raises(DataError, match="place"):
            again.load_state_dict(broken)


@pytest.mark.parametrize(
    ("error", "sequences", "options"),
    [
        (ConfigError, [np.ones(2)], {"batch_size": 0}),
        (ConfigError, [np.ones(2)], {"boundaries": [4, 4]}),
        (ConfigError, [np.ones(2)], {"boundaries": []}),
        (DataError, [np.ones(2), np.ones(9)], {"boundaries": [4]}),
        (ShapeError, [], {}),
        (ShapeError, [np.ones(2), np.ones((2, 2))], {}),
        (ShapeError, [np.ones(2), np.ones(2, np.float32)], {}),
        (ShapeError, [np.float64(1)], {}),
    ],
)
def test_what_cannot_be_bucketed_is_refused(error, sequences, options):
    with pytest.raises(error, match="bucket_by_length"):
        bucket_by_length(sequences, **{"batch_size": 2, **options})
