"""Splits Rust text into code and comments, so that rules about code do not trip over prose."""

import re

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<text>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes)
        |[bc]?"(?:\\.|[^"\\])*"
        |b?'(?:\\.[^'\n]*|[^'\\\n])')
    """,
    re.VERBOSE | re.DOTALL,
)


def code(source: str) -> str:
    """Returns the source with comments, strings and characters blanked out; lines keep their numbers."""
    return _TOKEN.sub(lambda match: "\n" * match[0].count("\n") or " ", source)


def comments(source: str) -> list[str]:
    """Returns the comments, one entry for each line comment."""
    return [match[0] for match in _TOKEN.finditer(source) if match["comment"] is not None]


def without_tests(clean: str) -> str:
    """Returns code, as `code` gives it, with every item under `#[cfg(test)]` blanked out."""
    attribute = re.compile(r"#!?\[cfg\(test\)\]")
    while found := attribute.search(clean):
        end = len(clean) if "!" in found[0] else _item_end(clean, found.end())
        clean = clean[: found.start()] + "\n" * clean.count("\n", found.start(), end) + clean[end:]
    return clean


def _item_end(clean: str, start: int) -> int:
    depth = 0
    for position in range(start, len(clean)):
        if clean[position] in "{([":
            depth += 1
        elif clean[position] in "})]":
            depth -= 1
            if depth == 0 and clean[position] == "}":
                return position + 1
        elif clean[position] == ";" and depth == 0:
            return position + 1
    return len(clean)
