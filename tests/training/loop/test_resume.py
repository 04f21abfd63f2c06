"""A run that was interrupted and goes on ends with the bits of one that was not."""

import json
from itertools import pairwise

import numpy as np
import pytest
from tests.training.loop.runs import StopAt, make_loop, table, weights

import trainsmith as ts
from trainsmith.errors import DataError, IoError
from trainsmith.training import BatchConfig, ChunkedDataIterator, DataIteratorAdapter
from trainsmith.training.checkpoints import CheckpointWarning
from trainsmith.training.loop import Callback
from trainsmith.training.strategies import ClippingStrategy, LossScaler, MixedPrecisionStrategy


def outcome(loop):
    result = loop.run()
    return weights(loop), result.history, result.best_loss, result.best_epoch, result.status, result.total_epochs


def interrupted_then_resumed(folder, stop_at, **options):
    watch = StopAt(stop_at)
    first = make_loop(folder, callbacks=[watch], stop=lambda: watch.reached, **options)
    result = first.run()
    assert result.status == "interrupted"
    assert first.progress.step == stop_at
    # Another seed: everything that matters must come from the checkpoint.
    again = make_loop(folder, callbacks=[StopAt(10**9)], resume=True, seed=99, stop=lambda: False, **options)
    return outcome(again)


# 50 rows in batches of 8 are 7 steps in an epoch: the first, the middle, the last of an epoch, and later ones.
@pytest.mark.parametrize("stop_at", [1, 4, 7, 8, 13, 21, 27])
@pytest.mark.parametrize("average", ["ema", "swa", None])
def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(tmp_path, stop_at, average):
    expected = outcome(make_loop(average=average, callbacks=[StopAt(10**9)]))
    assert interrupted_then_resumed(tmp_path / "c", stop_at, average=average) == expected


@pytest.mark.parametrize("options", [{"per": "epoch"}, {"validate": False}, {"patience": 1, "max_epochs": 30}])
def test_other_settings_resume_exactly_too(tmp_path, options):
    expected = outcome(make_loop(**options))
    assert interrupted_then_resumed(tmp_path / "c", 10, **options) == expected


@pytest.mark.parametrize("stop_at", [1, 2, 5, 7, 13, 27])
def test_mixed_precision_goes_on_with_its_scale(tmp_path, stop_at):
    """The scale overflows at the first steps, then grows every third one, so each step depends on where it was."""
    scales = []

    class Watch(Callback):
        def on_step_end(self, loop, loss):
            scales.append(loop.learner.state_dict()["trainer"]["strategy"]["scaler"]["scale"])

    def run(folder=None, **options):
        scaler = LossScaler(2.0**22, growth_interval=3)
        strategy = ClippingStrategy(MixedPrecisionStrategy(dtype=ts.float16, scaler=scaler), max_norm=1.0)
        return make_loop(folder, strategy=strategy, **options)

    whole = run(callbacks=[Watch()])
    expected = outcome(whole), whole.learner.state_dict()["trainer"]
    assert {later / earlier for earlier, later in pairwise(scales)} == {0.5, 1.0, 2.0}
    watch = StopAt(stop_at)
    assert run(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached).run().status == "interrupted"
    rest = run(tmp_path / "c", callbacks=[Watch()], resume=True, seed=99, stop=lambda: False)
    first = list(scales)
    scales.clear()
    assert (outcome(rest), rest.learner.state_dict()["trainer"]) == expected
    assert scales == first[stop_at:]


def test_checkpoints_in_the_middle_of_an_epoch_lead_to_the_same_end(tmp_path):
    expected = outcome(make_loop())
    loop = make_loop(tmp_path / "c", every_steps=3, every_epochs=0, top_k=0, keep_last=99)
    loop.run()
    names = [path.name for path in loop.checkpoints.paths()]
    assert names == [f"step-{step:08d}" for step in (3, 6, 9, 12, 15, 18, 21, 24, 27, 28)]
    for path in loop.checkpoints.paths()[:-1]:
        folder = tmp_path / path.name
        folder.mkdir()
        (folder / path.name).symlink_to(path)
        assert outcome(make_loop(folder, resume=True, seed=5, stop=lambda: False)) == expected


def test_a_finished_run_resumes_to_its_result(tmp_path):
    expected = outcome(make_loop(tmp_path / "c", patience=1, max_epochs=30))
    resumed = make_loop(tmp_path / "c", patience=1, max_epochs=30, resume=True, seed=3)
    assert outcome(resumed) == expected
    assert resumed.progress.ended == "no improvement"


def test_a_finished_run_goes_on_with_more_epochs(tmp_path):
    expected = outcome(make_loop(max_epochs=6))
    make_loop(tmp_path / "c", max_epochs=4).run()
    assert outcome(make_loop(tmp_path / "c", max_epochs=6, resume=True, seed=3)) == expected


def test_callbacks_go_on_where_they_were(tmp_path):
    class Count(Callback):
        steps = 0

        def on_step_end(self, loop, loss):
            self.steps += 1

        def state_dict(self):
            return {"steps": self.steps}

        def load_state_dict(self, state):
            self.steps = state["steps"]

    make_loop(tmp_path / "c", callbacks=[Count()], max_epochs=2).run()
    count = Count()
    make_loop(tmp_path / "c", callbacks=[count], resume=True).run()
    assert count.steps == 28


class Forgetful:
    """An iterator without a place, whose order depends on how often it was reset."""

    def __init__(self, provider):
        batches = list(provider.get_training_data(BatchConfig(batch_size=8, shuffle=False)))
        self._batches, self._turn = batches, 0
        self.reset()

    def reset(self):
        self._turn += 1
        order = np.random.default_rng(self._turn).permutation(len(self._batches))
        self._inner = DataIteratorAdapter([self._batches[place] for place in order])

    def next(self, *, ctx=None):
        return self._inner.next(ctx=ctx)

    def batch(self):
        return self._inner.batch()

    def error(self):
        return self._inner.error()

    def close(self):
        self._inner.close()


@pytest.mark.parametrize("stop_at", [3, 7, 8, 18])
def test_an_iterator_without_a_place_is_gone_through_again(tmp_path, stop_at):
    def run(folder=None, **options):
        loop = make_loop(folder, **options)
        loop.data = Forgetful(table())
        return loop

    expected = outcome(run())
    watch = StopAt(stop_at)
    run(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached).run()
    assert outcome(run(tmp_path / "c", callbacks=[StopAt(10**9)], resume=True)) == expected


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    make_loop(tmp_path / "c", fingerprint={"seed": 1}, max_epochs=1).run()
    with pytest.raises(IoError, match="must be of the same run; expected fingerprint seed 1, got 2"):
        make_loop(tmp_path / "c", fingerprint={"seed": 2}, resume=True).run()
    with pytest.raises(IoError, match="average"):
        make_loop(tmp_path / "c", fingerprint={"seed": 1}, average=None, resume=True).run()


def test_a_callback_may_come_but_one_that_remembers_must_not_go(tmp_path):
    class Keeper(Callback):
        def state_dict(self):
            return {"kept": 1}

    make_loop(tmp_path / "c", callbacks=[Callback(), Keeper()], max_epochs=1).run()
    make_loop(tmp_path / "c", callbacks=[StopAt(9), Keeper(), Callback()], max_epochs=1, resume=True).run()
    with pytest.raises(IoError, match="callback Keeper"):
        make_loop(tmp_path / "c", max_epochs=1, resume=True).run()


def test_other_data_are_refused(tmp_path):
    watch = StopAt(6)
    make_loop(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached).run()
    with pytest.raises(DataError, match="place of this iterator"):
        make_loop(tmp_path / "c", provider=table(rows=16), callbacks=[StopAt(9)], resume=True).run()


def test_the_state_is_json_and_safetensors_alone(tmp_path):
    loop = make_loop(tmp_path / "c", max_epochs=1)
    loop.run()
    (path,) = loop.checkpoints.paths()
    assert sorted(file.name for file in path.iterdir()) == ["manifest.json", "state.json", "tensors.safetensors"]
    state = json.loads((path / "state.json").read_text())
    assert state["generator"]["$tuple"][0] == 0
    assert state["data"] == {"own": {"epoch": 0, "rows": 50}}


def test_a_checkpoint_that_cannot_be_written_ends_the_run_and_leaves_the_older_ones(tmp_path, monkeypatch):
    from trainsmith.training.checkpoints import _write

    save = _write.ts.save_safetensors
    written = []

    def full(path, tensors):
        if len(written) == 2:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        written.append(path)
        save(path, tensors)

    monkeypatch.setattr(_write.ts, "save_safetensors", full)
    with pytest.raises(IoError, match="No space left on device"):
        make_loop(tmp_path / "c", every_steps=5, every_epochs=0, top_k=0).run()
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["step-00000005", "step-00000010"]
    assert outcome(make_loop(tmp_path / "c", resume=True, seed=8)) == outcome(make_loop())


def test_a_damaged_checkpoint_is_passed_over_and_the_end_is_the_same(tmp_path):
    watch = StopAt(17)
    options = {"every_steps": 5, "every_epochs": 0, "top_k": 0}
    first = make_loop(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached, **options)
    first.run()
    newest = first.checkpoints.paths()[-1]
    (newest / "tensors.safetensors").write_bytes((newest / "tensors.safetensors").read_bytes()[:100])
    with pytest.warns(CheckpointWarning, match="step-00000017 must be whole"):
        assert outcome(make_loop(tmp_path / "c", resume=True, seed=8, **options)) == outcome(make_loop())


@pytest.mark.parametrize("stop_at", [3, 7, 11])
def test_chunks_are_found_again(tmp_path, stop_at):
    batches = list(table().get_training_data(BatchConfig(batch_size=8, shuffle=False)))
    loads = []

    def load(chunk):
        loads.append(chunk)
        return batches[3 * chunk : 3 * chunk + 3] or None

    def run(folder=None, **options):
        loop = make_loop(folder, **options)
        loop.data = ChunkedDataIterator(load)
        return loop

    expected = outcome(run())
    watch = StopAt(stop_at)
    run(tmp_path / "c", callbacks=[watch], stop=lambda: watch.reached).run()
    loads.clear()
    assert outcome(run(tmp_path / "c", resume=True)) == expected
    assert loads[0] == (stop_at - 1) % 7 // 3
