"""`trainsmith tune` leaves a table that later processes use, and that a broken or foreign file does not replace."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.cli import main

GPU = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)

TABLE = "from trainsmith import _core; print(_core.gpu_table('gpu'))"
PRODUCT = """
import numpy as np, sys
import trainsmith as ts
x, y = (np.random.default_rng(seed).normal(size=(70, 70)).astype("float32") for seed in (0, 1))
np.save(sys.argv[1], np.asarray(ts.asarray(x, device="gpu") @ ts.asarray(y, device="gpu")))
"""


def run(*words, folder, **environment):
    variables = {**os.environ, "TRAINSMITH_CACHE_DIR": str(folder), **environment}
    return subprocess.run([sys.executable, *words], env=variables, capture_output=True, text=True, timeout=600)


def table_in(folder, **environment):
    done = run("-c", TABLE, folder=folder, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A cache directory with a table that was measured, and what the measurement printed."""
    folder = tmp_path_factory.mktemp("tuned")
    assert table_in(folder) == "shipped"
    done = run("-m", "trainsmith.cli", "tune", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@GPU
@pytest.mark.timeout(600)
def test_a_table_is_measured_named_and_used(tuned):
    folder, said = tuned
    name = re.search(r"\(table ([0-9a-f]{16})\)", said)
    assert name, said
    assert "product of 1 x (64, 64) x (64, 64)" in said
    assert "log_softmax" in said
    assert table_in(folder) == name[1]
    assert f"choice of kernels: table {name[1]}" in run("-m", "trainsmith.cli", "doctor", folder=folder).stdout


@GPU
@pytest.mark.timeout(600)
@pytest.mark.parametrize("damage", ["cut off", "changed", "other driver", "no table"])
def test_a_table_that_is_broken_or_foreign_is_ignored(tuned, tmp_path, damage):
    (source,) = tuned[0].glob("gpu-*.tuning")
    whole = source.read_bytes()
    lines = whole.split(b"\n", 2)
    (tmp_path / source.name).write_bytes(
        {
            "cut off": whole[:-1],
            "changed": whole.replace(b"256", b"128"),
            "other driver": b"\n".join([lines[0], lines[1] + b" of yesterday", lines[2]]),
            "no table": b"{}",
        }[damage]
    )
    assert table_in(tmp_path) == "shipped"
    (tmp_path / source.name).write_bytes(whole)
    assert table_in(tmp_path) == table_in(tuned[0])


@GPU
@pytest.mark.timeout(600)
def test_the_same_table_gives_the_same_bits(tuned, tmp_path):
    results = []
    for name in ("first.npy", "second.npy"):
        assert run("-c", PRODUCT, str(tmp_path / name), folder=tuned[0]).returncode == 0
        results.append(np.load(tmp_path / name))
    np.testing.assert_array_equal(*results)


@GPU
@pytest.mark.parametrize("way", ["elements", "small", "medium", "large"])
def test_a_variable_forces_one_way_for_products(tmp_path, way):
    done = run("-c", PRODUCT, str(tmp_path / "out.npy"), folder=tmp_path, TRAINSMITH_GPU_PRODUCTS=way)
    assert done.returncode == 0, done.stderr
    x, y = (np.random.default_rng(seed).normal(size=(70, 70)).astype("float32") for seed in (0, 1))
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), x @ y, rtol=1e-4, atol=1e-4)
    assert table_in(tmp_path, TRAINSMITH_GPU_PRODUCTS=way) == f"shipped, products by {way}"


@GPU
def test_an_unknown_way_is_an_error_that_names_the_ways(tmp_path):
    done = run("-c", TABLE, folder=tmp_path, TRAINSMITH_GPU_PRODUCTS="huge")
    assert done.returncode != 0
    assert "elements, small, medium or large" in done.stderr


@GPU
def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory would be")
    done = run("-c", "from trainsmith import _core; t = _core.Tuner('gpu'); t.measure(0); t.save()", folder=blocked)
    assert "TRAINSMITH_CACHE_DIR" in done.stderr.splitlines()[-1]
    none = run("-c", "from trainsmith import _core; t = _core.Tuner('gpu'); t.measure(0); t.save()", folder="")
    assert "set HOME, or TRAINSMITH_CACHE_DIR" in none.stderr.splitlines()[-1]


def test_only_a_gpu_is_measured(capsys):
    assert main(["tune", "--device", "cpu"]) == 2
    assert "a GPU, such as gpu or gpu:1" in capsys.readouterr().err
