"""The table of the original's names holds: each is there, and so is its test."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES = (ROOT / "docs" / "seed-coverage.md").read_text(encoding="utf-8").splitlines()
ROWS = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in LINES if line.startswith("| `")]


def target_of(path):
    """Finds what a dotted path below `trainsmith` names."""
    parts = path.removesuffix("()").split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(["trainsmith", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AssertionError(path)


def test_the_table_is_whole():
    assert len(ROWS) == 114
    assert len({row[0] for row in ROWS}) == len(ROWS)
    assert [row for row in ROWS if len(row) != 3 or not all(row)] == []
    kinds = {"Workflow", "DataProvider", "ModelProvider", "SequenceProvider", "MetricComputer", "CrossValidator"}
    verbs = {f"{verb}{kind}" for verb in ("Register", "Get", "Unregister") for kind in kinds}
    verbs |= {f"List{kind}s" for kind in kinds} | {"Clear", "Summary"}
    assert verbs == {row[0].split(".")[1] for row in ROWS if row[0].startswith("PluginRegistry.")}


@pytest.mark.parametrize(("name", "here", "test"), ROWS, ids=[row[0] for row in ROWS])
def test_the_name_and_its_test_exist(name, here, test):
    assert target_of(here) is not None
    assert re.sub("_", "", here.removesuffix("()").split(".")[-1]).lower() == name.split(".")[-1].lower().removeprefix(
        "new"
    )
    file, _, function = test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
