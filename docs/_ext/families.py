"""A directive that documents a package by the private modules its public names come from, and what docstrings need.

A new name in `__all__` is in the reference without another line anywhere.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# Marks of reStructuredText that mean themselves in plain docstrings; text in backticks keeps them.
_MARKS = re.compile(r"(`+[^`]*`+)|([*|\\])|(?<=\w)_(?![\w`])")


class Families(SphinxDirective):
    """`.. families:: trainsmith.nn` writes one section for each file of the package that defines public names.

    `.. families:: *` does so for all packages that no page names.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Gives the sections."""
        wanted = self.arguments[0]
        packages = _others(Path(self.get_source_info()[0]).parent) if wanted == "*" else [wanted]
        lines = [line for name in packages for line in _lines(importlib.import_module(name))]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _others(pages: Path) -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(pages.glob("*.rst")))
    named = set(re.findall(r"^\.\. families:: (\S+)$", text, re.MULTILINE))
    root = importlib.import_module("trainsmith")
    found = [info.name for info in pkgutil.walk_packages(root.__path__, "trainsmith.")]
    return [name for name in found if "._" not in name and name not in named]


def _lines(package: ModuleType) -> list[str]:
    lines: list[str] = []
    for home, names in _by_home(package).items():
        title = _title(home, package)
        lines += ["", title, "-" * len(title), ""]
        for name in names:
            member = getattr(package, name)
            kind = "autoclass" if inspect.isclass(member) else "autofunction" if callable(member) else "autodata"
            lines += [f".. {kind}:: {package.__name__}.{name}"]
            lines += ["   :members:"] if kind == "autoclass" else []
            lines += ["   :no-value:"] if kind == "autodata" else []
            lines += [""]
    return lines


def _by_home(package: ModuleType) -> dict[str, list[str]]:
    """The public names by the module that defines them, in the order of the files."""
    homes: dict[str, list[str]] = {}
    for name in names(package):
        member = getattr(package, name)
        home = member.__module__ if inspect.isclass(member) or inspect.isroutine(member) else package.__name__
        if inspect.isclass(member) and _elsewhere(home, name, package):
            continue
        homes.setdefault(home, []).append(name)
    return dict(sorted(homes.items()))


def _elsewhere(home: str, name: str, package: ModuleType) -> bool:
    """Whether another package defines a class and exports it too: it is documented there."""
    owner = home.split("._")[0]
    return owner != package.__name__ and name in names(importlib.import_module(owner))


def names(package: ModuleType) -> list[str]:
    """The names that a page documents: those of `__all__`, or what a module defines itself; no sub-packages."""
    found = {name: value for name, value in vars(package).items() if not name.startswith("_")}
    public = getattr(package, "__all__", None)
    if public is None:
        public = [name for name, value in found.items() if getattr(value, "__module__", None) == package.__name__]
    return [name for name in public if name in found and not inspect.ismodule(found[name])]


def _title(home: str, package: ModuleType) -> str:
    if home == "trainsmith._core":
        return "Tensors and what else the core holds"
    if home == package.__name__ == "trainsmith":
        return "Constants and dtypes"
    return (importlib.import_module(home).__doc__ or home).splitlines()[0].rstrip(".")


def plain(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Escapes marks in the prose of a docstring; examples stay as they are."""
    example = False
    for place, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            lines[place] = _MARKS.sub(lambda mark: mark.group(1) or "\\" + mark.group(), line)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers both."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("families", Families)
    app.connect("autodoc-process-docstring", plain, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
