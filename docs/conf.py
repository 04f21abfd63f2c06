"""Configuration of the documentation: Markdown pages and a reference made from docstrings."""

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "trainsmith"
author = "the trainsmith authors"
release = importlib.metadata.version("trainsmith")

extensions = ["families", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "adr/0000-template.md"]
html_theme = "furo"
html_title = f"trainsmith {release}"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

default_role = "literal"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True

# The pages link to files of the repository that are no pages.
suppress_warnings = ["myst.xref_missing"]
