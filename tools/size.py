"""Counts lines per source file: median, p90 and maximum per layer, tests and tables apart.

Run `make size`. Exits with 1 and names the files when the budget is exceeded.
"""

import statistics
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 600
MAX_MEDIAN = 150

_SOURCES = ("rust/core/src", "rust/py/src", "python/trainsmith")
_OTHERS = ("rust/core/tests", "tests", "benches", "tools", "examples")
_SUFFIXES = {".rs", ".py", ".pyi", ".wgsl"}
_APART = {"tests", "tables", "golden"}


def files(*folders: str) -> dict[Path, int]:
    """Returns the line count of every source file under the folders, by path relative to the root."""
    return {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in _SUFFIXES and path.is_file()
    }


def is_apart(path: Path) -> bool:
    """Says whether the budget skips the file: it is a test, a table or a stub."""
    stem_parts = {*path.parts[:-1], path.stem}
    return bool(stem_parts & _APART) or path.suffix == ".pyi"


def sources() -> dict[Path, int]:
    """Returns the files that the budget holds for."""
    return {path: lines for path, lines in files(*_SOURCES).items() if not is_apart(path)}


def layer(path: Path) -> str:
    """Returns the layer of a file: `rust/core/src/ir`, `python/trainsmith/data`, `tests`."""
    if is_apart(path) or not path.as_posix().startswith(_SOURCES):
        return f"{path.parts[0]} (tests, tables)" if is_apart(path) else path.parts[0]
    depth = 4 if path.parts[0] == "rust" else 3
    return "/".join(path.parts[: min(depth, len(path.parts) - 1)])


def over_budget(counts: dict[Path, int]) -> list[str]:
    """Returns one message for each broken rule, empty when the counts fit."""
    broken = [f"{path}: {lines} lines; at most {MAX_LINES}" for path, lines in counts.items() if lines > MAX_LINES]
    median = statistics.median(counts.values()) if counts else 0
    if median > MAX_MEDIAN:
        broken.append(f"median {median:.0f} lines per file; at most {MAX_MEDIAN}")
    return broken


def _row(name: str, lines: list[int]) -> str:
    lines = sorted(lines)
    p90 = lines[min(len(lines) - 1, int(0.9 * len(lines)))]
    return f"{name:36} {len(lines):6} {sum(lines):8} {statistics.median(lines):8.0f} {p90:6} {lines[-1]:6}"


def main() -> int:
    """Prints the table and returns the exit status."""
    by_layer: dict[str, list[int]] = defaultdict(list)
    for path, lines in files(*_SOURCES, *_OTHERS).items():
        by_layer[layer(path)].append(lines)
    counts = sources()
    print(f"{'layer':36} {'files':>6} {'lines':>8} {'median':>8} {'p90':>6} {'max':>6}")
    for name in sorted(by_layer):
        print(_row(name, by_layer[name]))
    if counts:
        print(_row("all sources under the budget", list(counts.values())))
    broken = over_budget(counts)
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
