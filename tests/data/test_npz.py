import numpy as np
import pytest

from trainsmith.data._npz import read_npz
from trainsmith.errors import DataError, IoError


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_array_comes_back(tmp_path, save):
    path = tmp_path / "t.npz"
    save(path, x=np.arange(6.0).reshape(3, 2), y=np.array([1, 2, 3]))
    found = read_npz(path)
    assert set(found) == {"x", "y"}
    np.testing.assert_array_equal(found["x"], np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_damaged_file_is_a_data_error(tmp_path, content):
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="whole archive"):
        read_npz(path)


def test_a_cut_archive_objects_and_a_bare_array_are_data_errors(tmp_path):
    np.savez(tmp_path / "cut.npz", x=np.zeros(1000))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-100])
    np.savez(tmp_path / "objects.npz", x=np.array([None, 1], dtype=object))
    np.save(tmp_path / "bare.npy", np.zeros(3))
    for name in ("cut.npz", "objects.npz", "bare.npy"):
        with pytest.raises(DataError, match="whole archive"):
            read_npz(tmp_path / name)


def test_a_missing_file_is_an_io_error(tmp_path):
    with pytest.raises(IoError, match="must exist"):
        read_npz(tmp_path / "none.npz")
    with pytest.raises(IoError, match="readable"):
        read_npz(tmp_path)
