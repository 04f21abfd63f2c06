"""Files stay small: the budget that `make size` prints."""

from pathlib import Path

from tools.size import MAX_LINES, MAX_MEDIAN, is_apart, over_budget, sources


def test_sources_fit_the_budget():
    counts = sources()
    assert counts, "no source file found: the folders in tools/size.py are stale"
    assert over_budget(counts) == []


def test_a_long_file_and_a_long_median_are_reported():
    long = {Path("rust/core/src/a.rs"): MAX_LINES + 1}
    assert over_budget(long) == [
        f"rust/core/src/a.rs: {MAX_LINES + 1} lines; at most {MAX_LINES}",
        f"median {MAX_LINES + 1} lines per file; at most {MAX_MEDIAN}",
    ]


def test_tests_and_tables_are_apart():
    assert is_apart(Path("rust/core/src/ir/infer/tests.rs"))
    assert is_apart(Path("python/trainsmith/testing/tables/ops.py"))
    assert not is_apart(Path("rust/core/src/ir/op.rs"))
