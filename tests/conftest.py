"""Hypothesis profiles: `fast` by default, `slow` with `--hypothesis-profile slow`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("fast", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("slow", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fast")

# SciPy reads this once, when it is imported: its functions then take our tensors.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# What GPUs compile stays between runs, and a tuning table of the user does not change results of tests.
os.environ.setdefault("TRAINSMITH_CACHE_DIR", str(Path(__file__).parents[1] / "target" / "test-cache"))


@pytest.fixture
def restored_threads() -> Iterator[None]:
    """The number of threads is afterwards what it was before."""
    import trainsmith as ts

    before = ts.get_num_threads()
    yield
    ts.set_num_threads(before)
