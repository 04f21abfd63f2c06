from itertools import chain

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.data import batches
from trainsmith.errors import ConfigError, DataError, DTypeError, ShapeError

X = np.arange(20, dtype=np.float32).reshape(10, 2)
Y = np.arange(10)


def rows(**options):
    return [np.asarray(y).tolist() for _, y in batches(X, Y, **options)]


def test_rows_come_in_order_and_the_last_batch_may_be_short():
    assert rows(batch_size=4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert rows(batch_size=4, drop_last=True) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert rows(batch_size=100) == [list(range(10))]
    assert rows(batch_size=100, drop_last=True) == []


def test_rows_of_all_arrays_stay_together():
    for x, y in batches(X, Y, batch_size=3, shuffle=True, seed=1):
        np.testing.assert_array_equal(np.asarray(x)[:, 0], 2 * np.asarray(y))


def test_shuffling_visits_every_row_once_in_an_order_that_the_seed_decides():
    one, again, other = ([*chain(*rows(batch_size=3, shuffle=True, seed=seed))] for seed in (1, 1, 2))
    assert one == again != other
    assert sorted(one) == list(range(10))
    assert rows(batch_size=3, shuffle=True, seed=(1, 0)) != rows(batch_size=3, shuffle=True, seed=(1, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_dtypes_are_kept_and_tensors_come_out(dtype):
    ((x,),) = batches(np.ones((2, 3), dtype), batch_size=2)
    assert isinstance(x, ts.Tensor)
    assert np.asarray(x).dtype == dtype


@pytest.mark.parametrize("shuffle", [False, True])
def test_tensors_are_cut_like_arrays(shuffle):
    options = {"batch_size": 4, "shuffle": shuffle, "seed": 3}
    from_tensors = batches(ts.asarray(X), ts.asarray(Y), **options)
    for (a, b), (c, d) in zip(from_tensors, batches(X, Y, **options), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(c))
        np.testing.assert_array_equal(np.asarray(b), np.asarray(d))


def test_the_source_is_not_changed_by_its_batches():
    source = X.copy()
    list(batches(source, batch_size=3, shuffle=True, seed=0))
    np.testing.assert_array_equal(source, X)


@pytest.mark.parametrize(
    ("error", "arrays", "size"),
    [
        (ShapeError, (), 1),
        (ShapeError, (X, Y[:9]), 1),
        (ShapeError, (np.float32(1),), 1),
        (ConfigError, (X,), 0),
        (ConfigError, (X,), True),
        (DTypeError, (np.array(["a", "b"]),), 1),
        (DTypeError, (np.array([None, 1]),), 1),
    ],
)
def test_wrong_arguments_raise_at_the_call(error, arrays, size):
    with pytest.raises(error, match="batches: "):
        batches(*arrays, batch_size=size)


@pytest.mark.parametrize("options", [{}, {"shuffle": True, "seed": 5}, {"shuffle": True}, {"drop_last": True}])
def test_batches_go_on_from_every_place(options):
    made = batches(X, Y, batch_size=4, **options)
    states, taken = [made.state_dict()], []
    for _, y in made:
        states.append(made.state_dict())
        taken.append(np.asarray(y).tolist())
    for given, state in enumerate(states):
        other = batches(X, Y, batch_size=4, **options)
        other.load_state_dict(state)
        assert [np.asarray(y).tolist() for _, y in other] == taken[given:]


@pytest.mark.parametrize("state", [{}, {"rows": 3}, {"rows": 11}, {"rows": -4}, {"rows": 4, "seed": 1}])
def test_what_is_no_place_is_refused(state):
    made = batches(X, Y, batch_size=4)
    with pytest.raises(DataError, match="place of these batches"):
        made.load_state_dict(state)
    assert len(list(made)) == 3
