"""A process that is killed again and again, also while it writes a checkpoint, ends as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trainsmith as ts

SCRIPT = Path(__file__).with_name("kill_run.py")
# `TRAINSMITH_KILLS=25 pytest tests/training/loop/test_kill.py` is the long form.
KILLS = int(os.environ.get("TRAINSMITH_KILLS", "5"))
EPOCHS = max(6, KILLS)
GPU = pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)


def start(folder, device):
    child = subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), str(folder), str(EPOCHS), device],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout as lines:
        assert lines.readline() == "ready\n"
    return child


def finish(child):
    assert child.wait(timeout=300) == 0


def writes(folder):
    """Whether a checkpoint is being written now."""
    checkpoints = folder / "checkpoints"
    return checkpoints.is_dir() and any(name.startswith(".step-") for name in os.listdir(checkpoints))


def kill(child, folder, during_write, delay):
    """Kills a child after a delay, or in its next write of a checkpoint; says which, or None where it had ended."""
    deadline = time.monotonic() + delay
    while time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.005)
    while during_write and child.poll() is None and not writes(folder):
        pass
    kind = "write" if writes(folder) else "step"
    child.send_signal(signal.SIGKILL)
    return kind if child.wait(timeout=60) == -signal.SIGKILL else None


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("device", ["cpu", pytest.param("gpu", marks=GPU)])
def test_a_killed_and_resumed_run_has_the_bits_of_an_uninterrupted_one(tmp_path, device):
    generator = random.Random(0)
    whole = tmp_path / "whole"
    whole.mkdir()
    finish(start(whole, device))
    expected = json.loads((whole / "done.json").read_text())
    assert (expected["status"], len(expected["history"])) == ("completed", EPOCHS + 1)
    kills: list[str] = []
    turn = 0
    while len(kills) < KILLS:
        folder = tmp_path / f"killed-{turn}"
        folder.mkdir()
        turn += 1
        while not (folder / "done.json").exists():
            child = start(folder, device)
            if len(kills) < KILLS:
                kind = kill(child, folder, during_write=len(kills) % 2 == 0, delay=generator.uniform(0.0, 1.0))
                kills += [kind] if kind else []
            else:
                finish(child)
        assert json.loads((folder / "done.json").read_text()) == expected
        assert not [name for name in os.listdir(folder / "checkpoints") if name.startswith(".")]
    print(f"{kills.count('write')} kills during a checkpoint write, {kills.count('step')} between, {turn} runs")
    assert kills.count("write") >= KILLS // 5
