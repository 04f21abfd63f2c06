"""The user's line: where outside the package a call came from."""

import os
import sys

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_line() -> str | None:
    """Give `file:line` of the innermost frame outside the package.

    Returns:
        The file as the interpreter names it and the line, or None where every frame is the package's own.
    """
    # `inspect` would cost more at import than it tells.
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_PACKAGE) and not name.startswith("<frozen"):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return None
