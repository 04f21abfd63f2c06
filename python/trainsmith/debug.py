"""What the library counts while it runs: for tests, and for finding out why a step is slow."""

from trainsmith import _core

__all__ = ["counters"]


def counters() -> dict[str, int]:
    """Gives the counts so far in this process.

    Returns:
        Name and count of each event, such as the number of plans made and of buffers copied because they were shared.

    Example:
        >>> import trainsmith as ts
        >>> before = ts.debug.counters()
        >>> all(count >= 0 for count in before.values())
        True
    """
    return _core.counters()
