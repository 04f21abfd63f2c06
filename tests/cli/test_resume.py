import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.cli.samples import two_classes


def history(path):
    return [
        {key: value for key, value in record.items() if "second" not in key}
        for record in json.loads((path / "history.json").read_text())
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ends_early_goes_on_to_the_same_result(run, job, tmp_path, number):
    job(two_classes(400), "[model]\narchitecture = { hidden = [16], dropout = 0.2 }\n", epochs=400)
    never = ("--set", "training.max_no_improve=0")
    words = [sys.executable, "-m", "trainsmith.cli", "train", "c.toml", *never]
    child = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not list((tmp_path / "out.checkpoints").glob("step-*/manifest.json")):
        time.sleep(0.005)
    os.kill(child.pid, number)
    out, err = child.communicate(timeout=90)
    assert child.returncode == (130 if number == signal.SIGINT else -9), (out, err)
    assert (tmp_path / "out").exists() == (number == signal.SIGINT)
    assert run("train", "c.toml")[0] == 2, "an unfinished run is not replaced"
    code, out, err = run("resume", "out") if number == signal.SIGKILL else run("train", "c.toml", "--resume", *never)
    assert code == 0, err
    assert not (tmp_path / "out.checkpoints").exists()
    assert run("train", "c.toml", "--set", "run.output=whole", *never)[0] == 0
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    assert history(tmp_path / "out") == history(tmp_path / "whole")


def test_there_must_be_an_unfinished_run(run, job, tmp_path):
    code, _, err = run("resume", "out")
    assert code == 2
    assert "unfinished run" in err
    assert run("train", job(two_classes()), "--resume")[0] == 0, "without one a new run starts"
    assert run("resume", "out")[0] == 2


def test_overwrite_begins_anew(run, job, tmp_path):
    config = job(two_classes())
    (tmp_path / "out.checkpoints").mkdir()
    assert run("train", config, "--overwrite")[0] == 2, "a folder of somebody else stays"
    (tmp_path / "out.checkpoints" / "config.toml").write_text("")
    assert run("train", config)[0] == 2
    assert run("train", config, "--overwrite")[0] == 0
    assert not (tmp_path / "out.checkpoints").exists()
