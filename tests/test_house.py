"""Rules of the house that no linter checks: imports, open work marks, unwrap, SAFETY notes."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests import rust_text

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "trainsmith"

# The packages that an adapter imports inside a function, by the extra that installs them.
OPTIONAL = {
    "rich": {"rich"},
    "plot": {"matplotlib"},
    "sklearn": {"sklearn"},
    "optuna": {"optuna"},
    "arrow": {"pyarrow"},
    "polars": {"polars"},
    "onnx": {"onnx"},
    "tensorboard": {"tensorboard"},
    "mlflow": {"mlflow"},
    "ray": {"ray"},
    "mpi": {"mpi4py"},
    "docs": set(),  # builds pages; the package imports nothing of it
    "test": {"ml_dtypes", "hypothesis", "pytest"},  # bfloat16 arrays, and the law kits of trainsmith.testing
}


def rust_files() -> list[Path]:
    return sorted((ROOT / "rust").rglob("*.rs"))


def is_test_file(path: Path) -> bool:
    return "tests" in {*path.relative_to(ROOT).parts[:-1], path.stem}


def imports_inside_functions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields line and top-level package of each import in a function body; "" stands for our own package."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.lineno, "" if node.level else (node.module or "").split(".")[0]


def test_optional_packages_are_the_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(OPTIONAL) == set(project["optional-dependencies"])


def test_only_optional_packages_are_imported_inside_functions():
    allowed = set().union(*OPTIONAL.values())
    found = {
        f"{path.relative_to(ROOT)}:{line}: import of {package or 'trainsmith'} inside a function"
        for path in PACKAGE.rglob("*.py")
        for line, package in imports_inside_functions(ast.parse(path.read_text(encoding="utf-8")))
        if package not in allowed
    }
    assert sorted(found) == []


def test_optional_packages_are_not_imported_with_the_module():
    allowed = set().union(*OPTIONAL.values())
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found += [f"{path.relative_to(ROOT)}:{node.lineno}: {n}" for n in names if n.split(".")[0] in allowed]
    assert found == []


def test_no_open_work_marks():
    mark = re.compile(r"\b(TODO|FIXME|XXX)\b|\b(todo|unimplemented)!")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted([*rust_files(), *PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")])
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if mark.search(line)
    ]
    assert found == []


def test_no_unwrap_outside_tests():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in rust_files()
        if "src" in path.parts and not is_test_file(path)
        for number, line in enumerate(rust_text.without_tests(rust_text.code(path.read_text())).splitlines(), 1)
        if ".unwrap()" in line
    ]
    assert found == []


def test_every_unsafe_block_has_its_safety_note():
    found = []
    for path in rust_files():
        source = path.read_text(encoding="utf-8")
        unsafe = len(re.findall(r"\bunsafe\s*(?:\{|impl\b)", rust_text.code(source)))
        notes = sum("SAFETY:" in comment for comment in rust_text.comments(source))
        if unsafe != notes:
            found.append(f"{path.relative_to(ROOT)}: {unsafe} unsafe blocks and impls, {notes} SAFETY: notes")
    assert found == []


RUST_SAMPLE = r"""
// a comment with .unwrap() and unsafe {
fn f<'a>(x: &'a str) -> char { let _ = "// not a comment { \" .unwrap()"; let _ = r#"unsafe { " "#; '{' }
#[cfg(test)]
use x::{y, z};
// SAFETY: the pointer is valid.
fn g() { unsafe { h() } }
#[cfg(test)]
mod tests { fn t() { None::<u8>.unwrap() } }
fn last() { let quote = '\''; let back = '\\'; let wide = '\u{1F600}'; }
// done
"""


def test_rust_text_separates_code_comments_and_tests():
    clean = rust_text.code(RUST_SAMPLE)
    assert clean.count(".unwrap()") == 1
    assert clean.count("unsafe {") == 1
    assert clean.count("\n") == RUST_SAMPLE.count("\n")
    assert "fn f<'a>(x: &'a str)" in clean
    assert sum("SAFETY:" in comment for comment in rust_text.comments(RUST_SAMPLE)) == 1
    kept = rust_text.without_tests(clean)
    assert ".unwrap()" not in kept
    assert "use x" not in kept
    assert "fn g()" in kept
    assert "fn last()" in kept
    assert "'" not in kept.split("fn last()")[1]
