"""One way to word an error: operation, rule, what was expected and received, next step."""

from typing import TypeVar

from trainsmith.errors import TrainsmithError

E = TypeVar("E", bound=TrainsmithError)

_SHOWN = 40


def worded(kind: type[E], op: str, rule: str, *, expected: str, got: str, step: str) -> E:
    """Builds an error whose message reads `op: rule; expected ..., got ...; step`.

    Args:
        kind: the error class.
        op: the operation that failed, such as `read_csv`.
        rule: the rule that was broken.
        expected: what the rule asks for.
        got: what came.
        step: what to do next.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> from trainsmith.errors import DataError
        >>> print(worded(DataError, "read", "cells are numbers", expected="1.5", got="'a'", step="fix the cell"))
        read: cells are numbers; expected 1.5, got 'a'; fix the cell
    """
    return kind(f"{op}: {rule}; expected {expected}, got {got}; {step}", op=op, expected=expected, got=got)


def shown(value: object) -> str:
    r"""Shows a value from a file on one line, shortened where it is long.

    Args:
        value: anything; text is quoted and its line breaks are escaped.

    Returns:
        At most about 40 characters.

    Example:
        >>> shown("two\nlines")
        "'two\\nlines'"
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]}...{text[-1]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Writes a count with its noun in the right number.

    Args:
        count: how many.
        noun: the singular.
        plural: the plural, where it is not the singular with an `s`.

    Returns:
        Such as `1 row` or `1,200 rows`.

    Example:
        >>> counted(1200, "row")
        '1,200 rows'
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
