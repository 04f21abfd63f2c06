"""The reference is complete: every public name has documentation, and a page that shows it."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import trainsmith as ts

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["trainsmith"]
PACKAGES += [
    found.name
    for found in pkgutil.walk_packages(ts.__path__, "trainsmith.")
    if "._" not in found.name and not found.name.endswith("__main__")
]


def public(package):
    """The classes and functions that a package exports; a module without `__all__` exports what it defines."""
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None)
    own = lambda value: getattr(value, "__module__", None) == package  # noqa: E731
    if names is None:
        names = [name for name, value in vars(module).items() if not name.startswith("_") and own(value)]
    members = {name: getattr(module, name) for name in names}
    return {name: x for name, x in members.items() if inspect.isclass(x) or inspect.isroutine(x)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_item_is_documented(package):
    assert importlib.import_module(package).__doc__
    bare = []
    for name, member in public(package).items():
        if not member.__doc__:
            bare.append(name)
        if inspect.isclass(member):
            parts = {key: part for key, part in vars(member).items() if not key.startswith("_")}
            parts = {key: part for key, part in parts.items() if callable(part) or isinstance(part, property)}
            bare += [f"{name}.{key}" for key, part in parts.items() if not inspect.getdoc(part)]
    assert bare == []


def test_every_package_is_on_one_page():
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.rst"))
    shown = re.findall(r"^\.\. families:: (\S+)$", pages, re.MULTILINE)
    assert sorted(set(shown)) == sorted(shown)
    assert set(shown) <= {*PACKAGES, "*"}
    # The star stands for all that no page names.
    assert "*" in shown


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs" / "api").iterdir()]
    pages += [path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "index"]
    assert [page for page in pages if f"\n{page}\n" not in index] == []
