"""The name a user most likely meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 12


def nearest(name: str, valid: Iterable[str]) -> str:
    """Says which valid name is closest, and otherwise which names are valid.

    Args:
        name: the unknown name.
        valid: the names that would have been accepted.

    Returns:
        The last part of an error message.

    Example:
        >>> nearest("targt", ["path", "target"])
        "did you mean 'target'?"
        >>> nearest("xyz", ["path", "target"])
        'valid names: path, target'
    """
    names = list(valid)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"valid names: {', '.join(names[:_LISTED])}{more}"
