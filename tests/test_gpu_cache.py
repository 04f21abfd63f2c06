"""Compiled shaders outlive the process; a cache that is broken, foreign or cannot be written is no error."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import trainsmith as ts

pytestmark = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)

# A step with many shaders, and one with few.
STEP = """
import trainsmith as ts
from trainsmith import nn, optim
ts.manual_seed(0)
model = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, device="gpu")
optimizer = optim.SGD(model.parameters(), lr=0.1)

@ts.compile
def step(x):
    optimizer.zero_grad()
    loss = (model(x) * x).sum()
    loss.backward()
    optimizer.step()
    return loss

print(float(step(ts.rand(2, 5, 16, device="gpu"))))
"""
EAGER = "import trainsmith as ts; print(float(ts.sum(ts.ones(3, device='gpu'))))"


def run(script, folder, **environment):
    # Without a runtime directory a library under the driver complains on standard error.
    runtime = os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir())
    variables = {**os.environ, "XDG_RUNTIME_DIR": runtime, "TRAINSMITH_CACHE_DIR": str(folder), **environment}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def files(folder: Path):
    return sorted(path.name for path in folder.iterdir())


def test_a_second_process_finds_what_the_first_compiled(tmp_path):
    first, said = run(STEP, tmp_path)
    assert "compiling" in said
    assert "cached next time" in said
    (name,) = files(tmp_path)
    assert name.startswith("gpu-")
    assert name.endswith(".pipelines")
    assert run(STEP, tmp_path) == (first, "")
    assert files(tmp_path) == [name]


def test_shaders_of_eager_ops_are_kept_too(tmp_path):
    assert run(EAGER, tmp_path) == ("3.0\n", "")
    (name,) = files(tmp_path)
    size = (tmp_path / name).stat().st_size
    run(STEP, tmp_path)
    assert (tmp_path / name).stat().st_size > size


@pytest.mark.parametrize("damage", ["empty", "cut off", "changed", "other driver", "garbage"])
def test_a_cache_that_is_broken_or_foreign_is_ignored_and_replaced(tmp_path, damage):
    run(EAGER, tmp_path)
    (name,) = files(tmp_path)
    whole = (tmp_path / name).read_bytes()
    lines = whole.split(b"\n", 2)
    other = {
        "empty": b"",
        "cut off": whole[:-1],
        "changed": whole[:-1] + bytes([whole[-1] ^ 1]),
        "other driver": b"\n".join([lines[0], lines[1] + b" of yesterday", lines[2]]),
        "garbage": os.urandom(4096),
    }[damage]
    (tmp_path / name).write_bytes(other)
    assert run(EAGER, tmp_path) == ("3.0\n", "")
    assert files(tmp_path) == [name]
    assert (tmp_path / name).read_bytes().startswith(b"\n".join(lines[:2]))


def test_where_no_cache_can_be_written_nothing_is_promised_and_work_goes_on(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory would be")
    result, said = run(STEP, blocked)
    assert float(result) == pytest.approx(float(run(STEP, tmp_path / "free")[0]))
    assert "compiling" in said
    assert "next time" not in said
    assert blocked.read_text() == "a file where the directory would be"


def test_an_empty_variable_keeps_nothing(tmp_path):
    assert run(EAGER, "", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "xdg"))[0] == "3.0\n"
    assert not (tmp_path / "xdg" / "trainsmith").exists()
    assert not (tmp_path / ".cache" / "trainsmith").exists()
