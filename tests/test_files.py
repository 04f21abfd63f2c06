"""Safetensors files through the package."""

from pathlib import Path

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import DeviceError, IoError

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]


def test_round_trip(tmp_path):
    tensors = {f"x.{name}": ts.astype(ts.full((2, 3), 3), name) for name in DTYPES}
    tensors |= {
        "view": ts.asarray(np.arange(6.0).reshape(2, 3)).T,
        "scalar": ts.asarray(2.5),
        "empty": ts.zeros((0, 2)),
    }
    path = tmp_path / "model.safetensors"
    ts.save_safetensors(path, tensors, {"step": "7"})
    back = ts.load_safetensors(str(path))
    assert sorted(back) == sorted(tensors)
    for name, tensor in tensors.items():
        assert (back[name].dtype, back[name].shape, back[name].tolist()) == (
            tensor.dtype,
            tensor.shape,
            tensor.tolist(),
        )


def test_parameters_and_buffers_are_saved_as_tensors(tmp_path):
    path = tmp_path / "model.safetensors"
    ts.save_safetensors(path, {"w": nn.Parameter(ts.ones(2)), "n": nn.Buffer(ts.asarray(3))})
    back = ts.load_safetensors(path)
    assert type(back["w"]) is ts.Tensor
    assert not back["w"].requires_grad
    assert back["n"].item() == 3


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "model.safetensors"
    ts.save_safetensors(path, {"a": ts.ones(100)})
    ts.save_safetensors(path, {"b": ts.ones(1)})
    assert list(ts.load_safetensors(path)) == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_device_of_the_tensors(tmp_path):
    path = tmp_path / "model.safetensors"
    ts.save_safetensors(path, {"a": ts.ones(2, device="reference")})
    assert ts.load_safetensors(path, "reference")["a"].device == "reference"
    with pytest.raises(DeviceError, match="device"):
        ts.load_safetensors(path, device="tpu")


def broken(path: Path) -> dict[str, bytes]:
    whole = path.read_bytes()
    return {
        "empty": b"",
        "cut": whole[:-3],
        "header": whole[:4] + b"\xff\xff\xff\x7f" + whole[8:],
        "text": b"no tensors here",
    }


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    ts.save_safetensors(path, {"a": ts.ones(5)})
    for name, content in broken(path).items():
        path.write_bytes(content)
        with pytest.raises(IoError, match=r"load_safetensors: expected .*, got .*model\.safetensors") as caught:
            ts.load_safetensors(path)
        assert isinstance(caught.value, OSError), name


def test_places_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(IoError, match="save_safetensors: expected"):
        ts.save_safetensors(tmp_path / "no" / "folder" / "x", {"a": ts.ones(1)})
    with pytest.raises(IoError, match="load_safetensors: expected"):
        ts.load_safetensors(tmp_path / "absent")
