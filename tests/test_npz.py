"""NPZ files, both ways with NumPy."""

import pickle
import zipfile

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import DTypeError, IoError

DTYPES = ["bool", "float16", "float32", "float64"]
DTYPES += [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]


def test_round_trip_and_numpy_reads_it(tmp_path):
    tensors = {f"layer.{name}": ts.astype(ts.full((2, 3), 3), name) for name in DTYPES}
    tensors |= {
        "view": ts.asarray(np.arange(6.0).reshape(2, 3)).T,
        "scalar": ts.asarray(2.5),
        "empty": ts.zeros((0, 2)),
    }
    tensors["cell"] = nn.Parameter(ts.ones(2))
    path = tmp_path / "model"
    ts.save_npz(path, tensors)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    back = ts.load_npz(str(path))
    with np.load(path) as theirs:
        for name, tensor in tensors.items():
            for array in (back[name], theirs[name]):
                assert str(array.dtype).removeprefix("trainsmith.") == tensor.dtype.name
                np.testing.assert_array_equal(array, tensor.detach())


def test_numpys_files_are_read_and_a_state_goes_through(tmp_path):
    np.savez_compressed(tmp_path / "theirs.npz", a=np.arange(3), b=np.asfortranarray(np.eye(2)))
    assert {name: x.tolist() for name, x in ts.load_npz(tmp_path / "theirs.npz").items()} == {
        "a": [0, 1, 2],
        "b": [[1.0, 0.0], [0.0, 1.0]],
    }
    one, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    one(ts.asarray(np.random.default_rng(0).normal(size=(4, 3)).astype("f4")))
    ts.save_npz(tmp_path / "state.npz", one.state_dict())
    other.load_state_dict(ts.load_npz(tmp_path / "state.npz"))
    for name, value in one.state_dict().items():
        np.testing.assert_array_equal(value, other.state_dict()[name])


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_no_pickle_is_run(tmp_path):
    np.savez(tmp_path / "objects.npz", x=np.asarray([Trap()], dtype=object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap()))
    for name in ("objects.npz", "pickle.npz"):
        with pytest.raises(IoError):
            ts.load_npz(tmp_path / name)


def test_what_cannot_be_read_or_written_is_an_error(tmp_path):
    whole = tmp_path / "whole.npz"
    ts.save_npz(whole, {"x": ts.ones(100)})
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:200])
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as file:
        file.writestr("x.npy", "no array")
    for name in ("cut.npz", "text.npz", "absent.npz"):
        with pytest.raises(IoError):
            ts.load_npz(tmp_path / name)
    with pytest.raises(IoError):
        ts.save_npz(tmp_path / "no folder" / "x.npz", {})
    with pytest.raises(DTypeError):
        ts.save_npz(whole, {"x": ts.astype(ts.ones(2), ts.bfloat16)})
    assert ts.load_npz(whole)["x"].shape == (100,)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["cut.npz", "text.npz", "whole.npz"]
