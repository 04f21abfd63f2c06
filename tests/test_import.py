"""`import trainsmith` is cheap: it loads the tensor functions, and the rest when it is asked for."""

import statistics
import subprocess
import sys

import pytest

import trainsmith as ts

LATER = ("data", "debug", "linalg", "nn", "optim")
#: Seconds of CPU time; docs/benchmarks.md has the measured figure, which a busy machine exceeds.
BOUND = 0.5


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_cheap():
    code = "import time; start = time.process_time(); import trainsmith; print(time.process_time() - start)"
    assert statistics.median(float(fresh(code)) for _ in range(3)) < BOUND


def test_the_rest_is_loaded_when_it_is_asked_for():
    held = f"[name for name in {LATER} if f'trainsmith.{{name}}' in sys.modules]"
    before, after = fresh(f"import sys, trainsmith as ts; print({held}); ts.nn.Linear; print({held})").splitlines()
    assert before == "[]"
    assert "nn" in after


@pytest.mark.parametrize("name", LATER)
def test_later_parts_are_attributes(name):
    assert name in dir(ts)
    assert getattr(ts, name).__name__ == f"trainsmith.{name}"


def test_a_name_that_is_not_there_raises():
    with pytest.raises(AttributeError, match="numpy_like"):
        _ = ts.numpy_like
