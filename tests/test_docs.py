"""The papers hold: their Python blocks and commands run, the files, tests and names they mention exist."""

import contextlib
import doctest
import inspect
import io
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import trainsmith as ts
from trainsmith import _core, training
from trainsmith.cli import main
from trainsmith.data import tabular

ROOT = Path(__file__).resolve().parent.parent
PAPERS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
PAPERS += sorted((ROOT / "docs").rglob("*.md"))


def blocks(path: Path, language: str) -> list[tuple[str, int, str]]:
    """Name, line and text of each fenced block of a language."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    name = path.relative_to(ROOT).as_posix()
    return [(name, text.count("\n", 0, match.start()) + 2, match.group(1)) for match in found]


# Guides whose blocks belong together: what one writes, the next reads.
STORIES = [ROOT / "docs" / "guides" / name for name in ("tabular.md", "time-series.md")]

BLOCKS = [block for path in PAPERS if path not in STORIES for block in blocks(path, "python")]
QUICK_START = blocks(ROOT / "README.md", "python")[0][2]


def run(name: str, line: int, code: str) -> str:
    """Runs a block in a namespace of its own and gives what it printed; one with prompts must print what it shows."""
    printed = io.StringIO()
    if code.lstrip().startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(code, {"__name__": "block"}, name, name, line - 1)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=printed.write)
        assert runner.failures == 0, printed.getvalue()
        return ""
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * (line - 1) + code, name, "exec"), {"__name__": "block"})
    return printed.getvalue()


@pytest.mark.parametrize(("name", "line", "code"), BLOCKS, ids=[f"{name}:{line}" for name, line, _ in BLOCKS])
def test_blocks_run(name, line, code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run(name, line, code)


def run_commands(code: str, printed: Callable[[], str]) -> None:
    """Runs the lines of a block that are commands of ours; `> file` takes what one printed."""
    for command in (line for line in code.splitlines() if line.startswith("trainsmith ")):
        line, _, target = command.partition(" > ")
        assert main(shlex.split(line, comments=True)[1:]) == 0, command
        if target:
            Path(shlex.split(target, comments=True)[0]).write_text(printed(), encoding="utf-8")


@pytest.mark.parametrize("path", STORIES, ids=[path.name for path in STORIES])
def test_guides_run_from_the_top_to_the_bottom(path, monkeypatch, tmp_path, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    found = [(line, kind, code) for kind in ("python", "toml", "sh") for _, line, code in blocks(path, kind)]
    for line, kind, code in sorted(found):
        if kind == "python":
            run(path.name, line, code)
        elif kind == "toml":
            Path(code.splitlines()[0].removeprefix("# ")).write_text(code, encoding="utf-8")
        else:
            run_commands(code, lambda: capsys.readouterr().out)


def losses(code: str) -> list[float]:
    ts.manual_seed(0)
    return [float(line.split()[1]) for line in run("README.md", 1, code).splitlines()]


def test_the_quick_start_learns_and_gives_the_same_numbers_without_compile():
    lines = QUICK_START.splitlines(keepends=True)
    eager = "".join(line for line in lines if not line.startswith("@ts.compile"))
    assert len(eager.splitlines()) == len(lines) - 1
    captured = losses(QUICK_START)
    assert captured == pytest.approx(losses(eager), rel=1e-5)
    assert len(captured) == 10
    assert captured[-1] < captured[0] / 3


def test_the_commands_of_the_readme_run(monkeypatch, tmp_path, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    lines = [line for _, _, code in blocks(ROOT / "README.md", "sh") for line in code.splitlines()]
    commands = [line for line in lines if line.startswith("trainsmith ")]
    assert {shlex.split(command)[1] for command in commands} == {
        "init",
        "train",
        "validate",
        "predict",
        "cv",
        "plugins",
        "devices",
    }
    run_commands("\n".join(commands), lambda: capsys.readouterr().out)


def test_the_configuration_of_the_readme_is_accepted(monkeypatch, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    ((_, _, text),) = blocks(ROOT / "README.md", "toml")
    Path("examples/readme.toml").write_text(text, encoding="utf-8")
    assert main(["train", "examples/readme.toml", "--dry-run"]) == 0


def test_the_names_in_the_table_of_features_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = [line for line in text.partition("## What works today")[2].splitlines() if line.startswith("|")]
    homes = [
        ts,
        ts.Tensor,
        ts.nn,
        ts.nn.functional,
        ts.optim,
        ts.optim.lr_scheduler,
        tabular,
        training,
        type(ts.compile(len)),
    ]
    names = [name for line in table for name in re.findall(r"`([^`]+)`", line) if name not in ts.devices()]
    assert [name for name in names if not any(hasattr(home, name) for home in homes)] == []
    assert len(names) > 20


def test_every_function_of_the_core_is_used():
    sources = [*(ROOT / "python").rglob("*.py"), *(ROOT / "rust" / "py" / "src").rglob("*.rs")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert [name for name in _core.function_names() if f'"{name}"' not in text] == []


def test_functions_of_a_tensor_are_methods():
    functions = {name: getattr(ts, name) for name in ts.__all__ if inspect.isfunction(getattr(ts, name))}
    first = {name: next(iter(inspect.signature(f).parameters), "") for name, f in functions.items()}
    wanted = {name for name, parameter in first.items() if parameter in ("x", "x1", "condition")}
    assert sorted(name for name in wanted - {"from_dlpack"} if not hasattr(ts.Tensor, name)) == []


def spans(path: Path) -> list[str]:
    """What stands between backticks outside of fenced blocks."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


# A span that names something in this repository starts with one of these.
PLACES = ("rust/", "python/", "tests/", "docs/", "examples/", "tools/", ".github/")


def test_the_files_that_papers_name_exist():
    missing = []
    for path in PAPERS:
        for span in spans(path):
            place = span.split("::")[0].split(" ")[0]
            if not place.startswith(PLACES) or "<" in place or "NNNN" in place:
                continue
            if not list(ROOT.glob(place.rstrip("/"))):
                missing.append(f"{path.relative_to(ROOT)}: {span}")
    assert missing == []


def test_the_tests_that_papers_name_exist():
    missing, seen = [], 0
    for path in PAPERS:
        for span in spans(path):
            file, _, test = span.partition("::")
            if not test or not file.endswith((".py", ".rs")):
                continue
            seen += 1
            text = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
            # A test function, or a name that a macro makes into one.
            if not re.search(rf"\b(def|fn) {test}\b|^ +{test}:", text, re.MULTILINE):
                missing.append(f"{path.relative_to(ROOT)}: {span}")
    assert missing == []
    assert seen > 0


def test_the_links_between_papers_lead_somewhere():
    links = [
        (path, target)
        for path in PAPERS
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert [f"{path.name}: {target}" for path, target in links if not (path.parent / target).exists()] == []
    assert links
