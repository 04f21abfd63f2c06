"""The reference vectors: every case whose functions exist passes, eager and captured, in both precisions."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
CASES = [case["id"] for case in json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))["cases"]]

# Families of cases, by the start of their names, whose functions do not exist yet. The list only shrinks.
MISSING = (FOLDER / "missing.txt").read_text(encoding="utf-8").split()


def is_missing(case: str) -> bool:
    return any(case == family or case.startswith(f"{family}/") for family in MISSING)


@pytest.fixture(scope="module", params=["float64", "float64 captured", "float32", "float32 captured"])
def failing(request) -> dict[str, str]:
    """Runs the checker once and gives the line that it printed for each case that fell short."""
    dtype, *captured = request.param.split()
    command = [sys.executable, str(FOLDER / "check.py"), "--package", "trainsmith", "--dtype", dtype]
    command += ["--captured"] if captured else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [re.sub(r"^\S+\s+", "", line) for line in done.stdout.splitlines()]
    assert re.fullmatch(r"\d+ passed, \d+ failed", done.stdout.splitlines()[-1]), done.stderr
    return {case: line for case in CASES for line in lines if line.startswith(f"{case}: ")}


def test_every_case_whose_functions_exist_passes(failing):
    assert [line for case, line in failing.items() if not is_missing(case)] == []


def test_what_passes_is_no_longer_called_missing(failing):
    assert [case for case in CASES if is_missing(case) and case not in failing] == []


def test_every_missing_family_has_cases():
    assert [family for family in MISSING if not any(c == family or c.startswith(f"{family}/") for c in CASES)] == []
