import gc
import threading
import time
import weakref

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import CancelledError, ChunkError, ConfigError, DataError
from trainsmith.testing._data_laws import check_data_iterator
from trainsmith.training import Batch, ChunkedDataIterator, DataIteratorAdapter, RunContext

BOTH = pytest.mark.parametrize("prefetch", [False, True])


def batch_of(value):
    tensor = ts.asarray(np.array([float(value)]))
    return Batch(inputs={"x": tensor}, targets=tensor)


def value_of(batch):
    return None if batch is None else int(np.asarray(batch.targets)[0])


def loader_of(*chunks):
    calls = []

    def load(chunk):
        calls.append(chunk)
        found = chunks[chunk] if chunk < len(chunks) else None
        if isinstance(found, Exception):
            raise found
        return None if found is None else [batch_of(value) for value in found]

    return load, calls


def values_of(iterator):
    return [value_of(batch) for batch in iterator]


def test_the_adapter_keeps_the_laws_and_the_order():
    batches = [batch_of(value) for value in (3, 1, 2)]
    check_data_iterator(DataIteratorAdapter(batches))
    assert values_of(DataIteratorAdapter(batches)) == [3, 1, 2]
    assert not DataIteratorAdapter([]).next()


def test_the_adapter_refuses_what_is_no_batch():
    with pytest.raises(DataError, match="None at index 1"):
        DataIteratorAdapter([batch_of(1), None])


def test_a_cancelled_iteration_raises_in_a_for_loop():
    context = RunContext()
    iterator = DataIteratorAdapter([batch_of(1), batch_of(2)])
    assert iterator.next(ctx=context)
    context.cancel()
    assert not iterator.next(ctx=context)
    with pytest.raises(CancelledError):
        next(iterator)


@BOTH
def test_chunks_keep_the_laws(prefetch):
    check_data_iterator(ChunkedDataIterator(loader_of([10, 20], [30])[0], prefetch=prefetch))


@BOTH
def test_chunks_come_in_order_and_each_is_loaded_once(prefetch):
    load, calls = loader_of([10, 20], [30], [40, 50])
    iterator = ChunkedDataIterator(load, prefetch=prefetch)
    assert values_of(iterator) == [10, 20, 30, 40, 50]
    assert calls == [0, 1, 2, 3]
    assert (iterator.error(), iterator.batch(), iterator.next()) == (None, None, False)
    assert calls == [0, 1, 2, 3]


@BOTH
def test_empty_chunks_are_skipped_up_to_a_bound(prefetch):
    assert values_of(ChunkedDataIterator(loader_of([], [], [99])[0], prefetch=prefetch)) == [99]
    endless = ChunkedDataIterator(lambda chunk: [], prefetch=prefetch, max_empty_chunks=5)
    assert not endless.next()
    assert isinstance(endless.error(), ChunkError)
    assert "5 empty chunks" in str(endless.error())


@BOTH
def test_an_error_of_the_loader_carries_its_chunk(prefetch):
    cause = RuntimeError("disk on fire")
    load, calls = loader_of([7], cause)
    iterator = ChunkedDataIterator(load, prefetch=prefetch)
    assert (iterator.next(), value_of(iterator.batch())) == (True, 7)
    assert (iterator.next(), iterator.batch()) == (False, None)
    error = iterator.error()
    assert isinstance(error, ChunkError)
    assert (error.chunk, error.__cause__) == (1, cause)
    assert "disk on fire" in str(error)
    iterator.close()
    assert iterator.error() is error
    iterator.reset()
    assert (iterator.error(), iterator.next(), value_of(iterator.batch())) == (None, True, 7)
    assert calls[2:][0] == 0
    with pytest.raises(ChunkError):
        next(iterator)


@BOTH
@pytest.mark.parametrize("chunk", [[None], "text", 3])
def test_what_is_no_batch_is_refused(prefetch, chunk):
    iterator = ChunkedDataIterator(lambda index: chunk, prefetch=prefetch)
    assert not iterator.next()
    assert isinstance(iterator.error(), ChunkError)


@BOTH
def test_close_ends_and_reset_revives(prefetch):
    iterator = ChunkedDataIterator(loader_of([1, 2], [3])[0], prefetch=prefetch)
    with iterator:
        assert iterator.next()
    assert (iterator.next(), iterator.batch(), iterator.error()) == (False, None, None)
    iterator.reset()
    assert values_of(iterator) == [1, 2, 3]


def test_without_prefetch_one_chunk_is_alive():
    alive = []

    def load(chunk):
        gc.collect()
        assert all(reference() is None for reference in alive)
        if chunk == 3:
            return None
        batch = batch_of(chunk)
        alive.append(weakref.ref(batch.targets))
        return [batch]

    iterator = ChunkedDataIterator(load, prefetch=False)
    count = 0
    while iterator.next():
        count += 1
    assert (count, iterator.error()) == (3, None)


def test_prefetch_loads_while_the_chunk_is_used():
    loading = threading.Event()

    def load(chunk):
        if chunk == 1:
            loading.set()
        return [batch_of(chunk)] if chunk < 2 else None

    iterator = ChunkedDataIterator(load)
    assert iterator.next()
    assert loading.wait(10), "chunk 1 is loaded although chunk 0 is still in use"
    assert values_of(iterator) == [1]


def test_calls_of_the_loader_never_overlap():
    running, most = [], []

    def load(chunk):
        running.append(chunk)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(chunk)
        return [batch_of(chunk)] if chunk < 3 else None

    iterator = ChunkedDataIterator(load)
    for _ in range(3):
        iterator.next()
        iterator.reset()
    assert values_of(iterator) == [0, 1, 2]
    assert max(most) == 1


def test_a_cancel_ends_the_wait_for_a_background_load():
    release = threading.Event()

    def load(chunk):
        if chunk == 1:
            release.wait(30)
        return [batch_of(chunk)] if chunk < 3 else None

    context = RunContext()
    iterator = ChunkedDataIterator(load)
    assert iterator.next(ctx=context)
    threading.Timer(0.05, context.cancel).start()
    started = time.monotonic()
    assert not iterator.next(ctx=context)
    assert time.monotonic() - started < 10
    assert isinstance(iterator.error(), CancelledError)
    release.set()
    iterator.reset()
    assert values_of(iterator) == [0, 1, 2]


@BOTH
def test_chunks_go_on_from_every_place(prefetch):
    chunks = [10, 20], [], [30], [40, 50, 60]
    iterator = ChunkedDataIterator(loader_of(*chunks)[0], prefetch=prefetch)
    states = [iterator.state_dict()]
    while iterator.next():
        states.append(iterator.state_dict())
    assert states[3:5] == [{"chunk": 2, "batches": 1}, {"chunk": 3, "batches": 1}]
    for given, state in enumerate(states):
        load, calls = loader_of(*chunks)
        again = ChunkedDataIterator(load, prefetch=prefetch, max_empty_chunks=2)
        again.load_state_dict(state)
        assert values_of(again) == [10, 20, 30, 40, 50, 60][given:]
        assert calls[0] == state["chunk"]


def test_a_place_beyond_a_chunk_is_an_error_of_that_chunk():
    iterator = ChunkedDataIterator(loader_of([1], [2])[0])
    iterator.load_state_dict({"chunk": 1, "batches": 2})
    assert not iterator.next()
    assert "1 of at least 2 for chunk 1" in str(iterator.error())


@pytest.mark.parametrize("state", [{}, {"batches": -1}, {"batches": 3}, {"batches": 1.5}, {"batches": True}])
def test_what_is_no_place_is_refused_and_changes_nothing(state):
    iterator = DataIteratorAdapter([batch_of(1), batch_of(2)])
    assert iterator.next()
    with pytest.raises(DataError, match="batches of the state"):
        iterator.load_state_dict(state)
    assert (value_of(iterator.batch()), values_of(iterator)) == (1, [2])


def test_a_loader_is_needed():
    for arguments in ({"loader": None}, {"loader": loader_of()[0], "max_empty_chunks": 0}):
        with pytest.raises(ConfigError):
            ChunkedDataIterator(**arguments)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        ({"batch": lambda self: batch_of(1)}, "before the first next"),
        ({"reset": lambda self: None}, "reset"),
        ({"close": lambda self: None}, "closed iterator"),
        ({"next": lambda self, *, ctx=None: DataIteratorAdapter.next(self)}, "cancelled"),
        ({"state_dict": lambda self: {"batches": 0}}, "goes to the place"),
        ({"load_state_dict": lambda self, state: self.reset()}, "goes to the place"),
    ],
)
def test_the_law_kit_finds_a_broken_iterator(broken, law):
    kind = type("Broken", (DataIteratorAdapter,), broken)
    with pytest.raises(AssertionError, match=f"broken law: .*{law}"):
        check_data_iterator(kind([batch_of(1), batch_of(2)]))
