import json
import math
import os
import resource
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ConfigError, DataError, IoError
from trainsmith.training.checkpoints import (
    CheckpointConfig,
    CheckpointStore,
    CheckpointWarning,
    read_checkpoint,
    write_checkpoint,
)
from trainsmith.training.checkpoints._tree import pack, unpack

FILES = ["manifest.json", "state.json", "tensors.safetensors"]


def store(folder, **options):
    return CheckpointStore(CheckpointConfig(folder=str(folder), **options))


def save(one, step, metric=None):
    return one.save({"step": step, "w": ts.full((4,), float(step))}, step=step, epoch=step // 10, metric=metric)


def names(one):
    return [int(path.name.removeprefix("step-")) for path in one.paths()]


def test_a_tree_comes_back_equal():
    tree = {
        "numbers": [1, -(2**63), 2**64 - 1, 0.1, -0.0, math.inf, -math.inf, True, None, "é\n"],
        "tuple": (1, (2, [3])),
        "by number": {0: {"a": 1}, 1: {}},
        "looks like a tag": {"$tensor": "no"},
        "empty": [{}, [], ()],
    }
    text = json.dumps(pack(tree)[0], allow_nan=False)
    back = unpack(json.loads(text), {})
    assert back == tree
    assert type(back["tuple"]) is tuple
    assert math.copysign(1, back["numbers"][4]) == -1
    assert math.isnan(unpack(json.loads(json.dumps(pack(math.nan)[0], allow_nan=False)), {}))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "uint64", "bool", "int8"])
def test_tensors_come_back_with_their_bits(tmp_path, dtype):
    tensor = ts.asarray([[0, 1], [1, 0]]).astype(getattr(ts, dtype))
    twice = tensor if dtype == "bool" else tensor + tensor
    write_checkpoint(tmp_path / "c", {"a": {"b/c": tensor}, "a/b": {"c": twice}})
    back = read_checkpoint(tmp_path / "c").state
    assert back["a"]["b/c"].dtype == tensor.dtype
    assert back["a"]["b/c"].tolist() == tensor.tolist()
    assert back["a/b"]["c"].tolist() == twice.tolist()


def test_arrays_come_back_as_arrays(tmp_path):
    array = np.arange(6, dtype=np.uint32).reshape(2, 3)
    write_checkpoint(tmp_path / "c", {"a": array, "scalar": np.float64(0.5)})
    back = read_checkpoint(tmp_path / "c").state
    assert back["a"].dtype == array.dtype
    np.testing.assert_array_equal(back["a"], array)
    back["a"][0, 0] = 9
    assert back["scalar"] == 0.5


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", np.array(["a"]), 1j])
def test_values_that_are_not_plain_are_refused_with_their_path(tmp_path, value):
    with pytest.raises(DataError, match="at callbacks/0"):
        write_checkpoint(tmp_path / "c", {"callbacks": [value]})
    assert list(tmp_path.iterdir()) == []


def test_the_newest_and_the_best_stay(tmp_path):
    one = store(tmp_path, keep_last=2, top_k=2)
    for step, metric in ((10, 0.9), (20, 0.3), (30, None), (40, 0.5), (50, 0.7), (60, None), (70, math.nan)):
        save(one, step, metric)
    assert names(one) == [20, 40, 60, 70]
    assert one.best().state["step"] == 20
    assert one.latest().state["step"] == 70
    # A new store over the same folder knows the metrics from the manifests.
    again = store(tmp_path, keep_last=1, top_k=1)
    save(again, 80, 0.4)
    assert names(again) == [20, 80]


def test_the_larger_metric_is_better_in_max_mode(tmp_path):
    one = store(tmp_path, keep_last=1, mode="max")
    for step, metric in ((10, 0.9), (20, 0.3), (30, 0.5)):
        save(one, step, metric)
    assert names(one) == [10, 30]


def test_of_equal_metrics_the_older_is_the_best(tmp_path):
    one = store(tmp_path, keep_last=3)
    for step in (10, 20, 30):
        save(one, step, 0.5)
    assert one.best().state["step"] == 10


def test_order_is_that_of_the_steps_however_many_digits_they_have(tmp_path):
    one = store(tmp_path, keep_last=2)
    for step in (99_999_999, 100_000_000, 100_000_001):
        save(one, step)
    (tmp_path / "step-notes").mkdir()
    assert names(store(tmp_path)) == [100_000_000, 100_000_001]


def test_when_a_checkpoint_is_due(tmp_path):
    one = store(tmp_path, every_steps=20, every_epochs=3, top_k=1)
    assert [step for step in range(1, 61) if one.due_step(step)] == [20, 40, 60]
    assert [epoch for epoch in range(1, 8) if one.due_epoch(epoch, None)] == [3, 6]
    assert one.due_epoch(1, 0.5)
    save(one, 10, 0.5)
    assert one.due_epoch(2, 0.4)
    assert not one.due_epoch(2, 0.5)
    assert not one.due_epoch(2, math.nan)


def damage(path, kind):
    if kind == "missing":
        path.unlink()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["missing", "empty", "cut", "flipped"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tmp_path, name, kind):
    one = store(tmp_path)
    save(one, 10)
    damage(save(one, 20) / name, kind)
    with pytest.raises(IoError, match="step-00000020 must be whole"):
        read_checkpoint(tmp_path / "step-00000020")
    with pytest.warns(CheckpointWarning, match="step-00000020 must be whole.*passed over"):
        found = store(tmp_path).latest()
    assert found.state["step"] == 10


def test_only_damaged_checkpoints_give_none(tmp_path):
    one = store(tmp_path)
    damage(save(one, 10) / "state.json", "cut")
    with pytest.warns(CheckpointWarning):
        assert one.latest() is None
    assert store(tmp_path / "nowhere").latest() is None


def test_every_byte_of_a_manifest_counts(tmp_path):
    write_checkpoint(tmp_path / "c", {}, facts={"step": 7})
    path = tmp_path / "c" / "manifest.json"
    path.write_text(path.read_text().replace('"step": 7', '"step": 8'))
    with pytest.raises(IoError, match="another hash"):
        read_checkpoint(tmp_path / "c")


def test_a_damaged_checkpoint_can_be_written_again(tmp_path):
    one = store(tmp_path)
    damage(save(one, 10) / "state.json", "cut")
    save(one, 10)
    assert one.latest().state["step"] == 10


def test_what_a_killed_process_left_is_removed_and_a_replaced_checkpoint_comes_back(tmp_path):
    one = store(tmp_path)
    save(one, 10)
    save(one, 20)
    (tmp_path / "step-00000020").rename(tmp_path / ".step-00000020.old-123")
    for name in (".step-00000030.new-123", ".step-00000010.old-123", ".step-00000005.gone-123"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text("{")
    (tmp_path / "notes").mkdir()
    assert store(tmp_path).latest().state["step"] == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "step-00000010", "step-00000020"]


def test_an_error_while_writing_leaves_the_older_ones_and_nothing_else(tmp_path, monkeypatch):
    one = store(tmp_path)
    save(one, 10)
    from trainsmith.training.checkpoints import _write

    def full(path, tensors):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_write.ts, "save_safetensors", full)
    with pytest.raises(IoError, match=r"No space left on device; free some space"):
        save(one, 20)
    monkeypatch.undo()
    assert names(one) == [10]
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000010"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    code = """
        import resource, signal, sys
        import trainsmith as ts
        from trainsmith.errors import IoError
        from trainsmith.training.checkpoints import CheckpointConfig, CheckpointStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = CheckpointStore(CheckpointConfig(folder=sys.argv[1]))
        store.save({"w": ts.zeros(10)}, step=1, epoch=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        try:
            store.save({"w": ts.zeros(100_000)}, step=2, epoch=0)
        except IoError as error:
            print("refused:", error)
        store.save({"w": ts.ones(10)}, step=3, epoch=0)
    """
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused: ")
    assert sorted(os.listdir(tmp_path)) == ["step-00000001", "step-00000003"]
    assert read_checkpoint(tmp_path / "step-00000003").state["w"].tolist() == [1.0] * 10


def test_a_place_that_is_taken_is_refused(tmp_path):
    (tmp_path / "step-00000010").mkdir()
    (tmp_path / "step-00000010" / "mine.txt").write_text("keep")
    with pytest.raises(IoError):
        save(store(tmp_path), 10)
    assert (tmp_path / "step-00000010" / "mine.txt").read_text() == "keep"


def test_another_format_is_refused(tmp_path):
    from trainsmith.training.checkpoints._write import manifest_hash

    write_checkpoint(tmp_path / "c", {})
    manifest = json.loads((tmp_path / "c" / "manifest.json").read_text()) | {"format_version": 99}
    manifest["sha256"] = manifest_hash(manifest)
    (tmp_path / "c" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IoError, match="known format"):
        read_checkpoint(tmp_path / "c")


def test_nothing_in_a_checkpoint_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    import pickle

    write_checkpoint(tmp_path / "c", {})
    (tmp_path / "c" / "state.json").write_bytes(pickle.dumps(Trap()))
    with warnings.catch_warnings(), pytest.raises(IoError):
        read_checkpoint(tmp_path / "c")
    assert not (tmp_path / "sprung").exists()


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="keep_last"):
        CheckpointConfig(folder="x", keep_last=0)
