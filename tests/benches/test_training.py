"""The training benchmark runs, compares and reports."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benches/training", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_contenders_run_in_turns_from_the_same_start(tmp_path):
    out = tmp_path / "figures.json"
    short = ("--only", "tiny_mlp", "--threads", "1", "--rounds", "3", "--seconds", "0.002")
    drawing = tmp_path / "chart.svg"
    both = "trainsmith:captured,trainsmith:eager"
    done = bench(*short, "--library", both, "--json", str(out), "--svg", str(drawing))
    assert done.returncode == 0, done.stderr
    bars = ElementTree.parse(drawing).findall(".//{*}rect[@class='bar']")
    assert len(bars) == 2
    [run] = json.loads(out.read_text())["runs"]
    captured, eager = (run["microseconds"][f"trainsmith:{mode}"] for mode in ("captured", "eager"))
    assert run["ratios"] == {"trainsmith:eager": sorted(a / b for a, b in zip(captured, eager))[1]}
    assert run["loss_difference"] < 1e-5
    losses = run["losses"]["trainsmith:captured"]
    assert losses[-1] < losses[0]
    assert "| tiny_mlp | 1 | " in done.stdout


def test_memory_is_that_of_a_process_of_its_own(tmp_path):
    out = tmp_path / "figures.json"
    done = bench("--memory", "--only", "tiny_mlp", "--library", "trainsmith", "--json", str(out))
    assert done.returncode == 0, done.stderr
    [row] = json.loads(out.read_text())["memory"]
    assert 0 < row["growth_mib"]["trainsmith:captured"] < 100


def test_a_library_that_is_not_installed_is_left_out():
    done = bench(
        "--only", "tiny_mlp", "--threads", "1", "--rounds", "1", "--seconds", "0.002", "--peer-python", "false"
    )
    assert done.returncode == 0, done.stderr
    assert "left out: torch:eager" in done.stderr


@pytest.mark.parametrize(("option", "value"), [("--only", "huge_mlp"), ("--library", "numpy")])
def test_unknown_names_are_refused(option, value):
    done = bench(option, value)
    assert done.returncode != 0
    assert value in done.stderr
