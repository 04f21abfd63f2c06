"""Reads a list of window sizes from text."""

import re

from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError

_WHOLE = re.compile(r"[+-]?[0-9]+\Z")


def parse_window_sizes(text: str, *, strict: bool = False) -> list[int]:
    """Reads window sizes separated by commas.

    Args:
        text: such as `15,30,60`.
        strict: whether every part must be a size of at least 1; otherwise parts that are no whole number of 64 bits are
            skipped, and 0 and negative numbers are kept.

    Returns:
        The sizes in their order, with repetitions.

    Raises:
        ConfigError: with `strict`, a part that is no size; text and index are named.

    Example:
        >>> parse_window_sizes(" 10, abc,20"), parse_window_sizes("15,30", strict=True)
        ([10, 20], [15, 30])
    """
    sizes: list[int] = []
    for index, part in enumerate(text.split(",")):
        token = part.strip()
        size = int(token) if _WHOLE.match(token) else None
        if size is not None and not -(2**63) <= size < 2**63:
            size = None
        if strict and (size is None or size < 1):
            raise worded(
                ConfigError,
                "parse_window_sizes",
                "every part must be a window size",
                expected="a whole number of at least 1",
                got=f"{shown(token)} at index {index}",
                step="correct the part",
            )
        if size is not None:
            sizes.append(size)
    return sizes
