"""The thread that gathers gives the bits of the plain path, in every order, from every place."""

import gc
import multiprocessing
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainsmith as ts
from trainsmith._core import Gather
from trainsmith.data import Permutation, WeightedOrder, batches
from trainsmith.data._gather import RowSource, plain_batches
from trainsmith.errors import IndexRangeError, ShapeError
from trainsmith.training import ArrayDataProvider, BatchConfig, create_windows

DTYPES = ("bool", "int8", "uint16", "int64", "float16", "float32", "float64")


def bits(taken):
    return [[(x.shape, str(x.dtype), np.asarray(x).tobytes()) for x in rows] for rows in taken]


def row_batches(sources, *, workers=0, **options):
    return RowSource(sources, workers=workers).batches(**options)


def order_of(kind, count):
    if kind == "shuffled":
        return Permutation(count, 7, 3)
    return WeightedOrder(np.arange(1, count + 1), 7, 3) if kind == "drawn" else None


@given(
    count=st.integers(1, 3000),
    batch_size=st.integers(1, 700),
    kind=st.sampled_from(["plain", "shuffled", "drawn"]),
    dtypes=st.lists(st.sampled_from(DTYPES), min_size=1, max_size=3),
    width=st.sampled_from([(), (0,), (3,), (2, 5)]),
    place=st.floats(0, 1),
    workers=st.sampled_from([0, 0, 1, 3]),
)
def test_the_core_gives_the_bits_of_the_plain_path(count, batch_size, kind, dtypes, width, place, workers):
    sources = [
        (np.arange(count * max(1, int(np.prod(width)))) % 120)
        .astype(dtype)[: count * int(np.prod(width))]
        .reshape((count, *width))
        for dtype in dtypes
    ]
    options = {"batch_size": batch_size, "start": int(place * count), "stop": count}
    fast = row_batches(sources, order=order_of(kind, count), workers=workers, **options)
    assert isinstance(fast, Gather) or options["start"] == count
    assert bits(fast) == bits(plain_batches(sources, order=order_of(kind, count), **options))


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_many_batches_come_through_the_queue(workers):
    source = np.arange(200_000, dtype=np.int64)
    options = {"order": None, "batch_size": 100, "start": 0, "stop": source.size}
    found = [int(x[0]) for (x,) in row_batches([source], workers=workers, **options)]
    assert found == list(range(0, 200_000, 100))


@pytest.mark.parametrize(
    "source", [np.zeros((6, 4))[:, ::2], np.zeros((6, 2))[::-1], np.zeros((2, 6)).T, np.arange(6, dtype=">f4")]
)
def test_arrays_that_do_not_lie_whole_take_the_plain_path(source):
    made = row_batches([source], order=Permutation(6, 1), batch_size=4, start=0, stop=6)
    assert not isinstance(made, Gather)
    assert [x.shape[0] for (x,) in made] == [4, 2]


TABLE = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


@pytest.mark.parametrize(
    "view",
    [
        TABLE[:, 1:4],
        TABLE[::3],
        TABLE[5:, -1],
        TABLE[3:30:2, 2:],
        create_windows(TABLE, 5, horizon=2, copy=False)[0],
        create_windows(TABLE, 4, stride=3, allow_leak=True, copy=False)[0],
        np.broadcast_to(TABLE[:1], (9, 6)),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "shuffled", "drawn"])
def test_rows_inside_a_larger_array_are_gathered_in_place(view, kind):
    options = {"order": order_of(kind, view.shape[0]), "batch_size": 4, "start": 1, "stop": view.shape[0]}
    made = row_batches([view], **options)
    assert isinstance(made, Gather)
    assert bits(made) == bits(plain_batches([view], **options))


def test_windows_without_a_column_take_the_plain_path():
    view = create_windows(TABLE, 4, drop_label_from_inputs=True, copy=False)[0]
    made = row_batches([view], order=None, batch_size=50, start=0, stop=view.shape[0])
    assert not isinstance(made, Gather)
    np.testing.assert_array_equal(np.asarray(next(made)[0]), view)


def test_tensors_of_another_device_take_the_plain_path():
    source = ts.asarray(np.arange(6.0), device="reference")
    made = row_batches([source], order=Permutation(6, 1), batch_size=4, start=0, stop=6)
    assert not isinstance(made, Gather)
    assert {x.device for (x,) in made} == {"reference"}


def test_an_iteration_that_is_left_lets_its_arrays_go():
    source = np.zeros((100_000, 8))
    made = row_batches([source], order=None, batch_size=10, start=0, stop=100_000, workers=2)
    for _ in range(3):
        next(made)
    del made
    gc.collect()
    source.resize((1, 8), refcheck=True)


@pytest.mark.parametrize("listed", [[0, 3], [-1]])
def test_rows_outside_are_refused(listed):
    with pytest.raises(IndexRangeError, match="from 0 to 2"):
        Gather([(ts.zeros((3, 1)), None)], 1, (0, 1), "cpu", listed=np.array(listed, np.int64))


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ShapeError):
        Gather([(ts.zeros(12), ((4, 3), 3, 1))], 1, (0, 1), "cpu")
    with pytest.raises(ShapeError):
        Gather([(ts.zeros((3, 1)), None), (ts.zeros((4, 1)), None)], 1, (0, 1), "cpu")


def _count_in_child(made, queue):
    queue.put(sum(x.shape[0] for x, _ in made))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_a_forked_child_goes_on():
    sources = [np.zeros((50_000, 8)), np.zeros(50_000)]
    made = row_batches(sources, order=None, batch_size=100, start=0, stop=50_000, workers=2)
    next(made)
    next(made)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = context.Process(target=_count_in_child, args=(made, queue))
        child.start()
    assert queue.get(timeout=60) == 49_800
    child.join(60)


def threads():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Threads:")]
    return int(line.split()[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts threads as Linux does")
@pytest.mark.parametrize(("batch_size", "workers", "expected"), [(100, 0, 0), (4000, 0, 1), (100, 1, 1), (100, 3, 3)])
def test_as_many_threads_gather_as_were_asked_for(batch_size, workers, expected):
    provider = ArrayDataProvider(np.zeros((100_000, 8)), np.zeros(100_000))
    before = threads()
    with provider.get_training_data(BatchConfig(batch_size=batch_size, shuffle=False, num_workers=workers)) as data:
        assert data.next()
        assert threads() - before == expected
    assert threads() == before


def test_a_batch_costs_the_step_little():
    x, y = np.zeros((100_000, 32), np.float32), np.zeros((100_000, 1), np.float32)
    best = min(_microseconds_per_batch(x, y) for _ in range(5))
    assert best < 100, f"{best:.1f} microseconds"  # about 3 on a quiet machine


def _microseconds_per_batch(x, y):
    started, count = time.thread_time(), 0
    for _ in batches(x, y, batch_size=256, shuffle=True, seed=1):
        count += 1
    return (time.thread_time() - started) / count * 1e6
