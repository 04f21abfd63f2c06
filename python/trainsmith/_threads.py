"""How many threads compute."""

from __future__ import annotations

from trainsmith import _core

__all__ = ["get_num_threads", "set_num_threads"]


def get_num_threads() -> int:
    """Gives the number of threads that run captured steps and long eager ops, the calling one among them.

    Returns:
        What `set_num_threads` was given, else `TRAINSMITH_NUM_THREADS` of the environment, else the cores to use.

    Example:
        >>> import trainsmith as ts
        >>> ts.get_num_threads() >= 1
        True
    """
    return _core.num_threads()


def set_num_threads(count: int) -> None:
    """Sets the number of threads that run captured steps and long eager ops from now on; results do not depend on it.

    Work that is too small to share runs on the calling thread alone.

    Args:
        count: threads, the calling one among them, in [1, 1024].

    Raises:
        ArgumentError: the number is outside its range.

    Example:
        >>> import trainsmith as ts
        >>> threads = ts.get_num_threads()
        >>> ts.set_num_threads(1)
        >>> ts.get_num_threads()
        1
        >>> ts.set_num_threads(threads)
    """
    _core.set_num_threads(count)
