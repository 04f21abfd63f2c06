"""Which modules and optimizers a recording touches, and whether they are still as they were."""

import threading
from collections.abc import Hashable
from typing import Protocol

from trainsmith import _core


class Guarded(Protocol):
    """Something whose attributes decide what a step computes."""

    def _guard(self) -> Hashable:
        """Give a value that changes whenever a captured step would have to compute something else.

        Whatever changes it also calls `_core.note_change()`, or a call takes the short way past the guards.
        """
        ...


def _guard_of(touched: Guarded) -> Hashable:
    # Underscored on modules and optimizers, so that it shadows no attribute of the user's.
    return touched._guard()  # pyright: ignore[reportPrivateUsage]


class Guards:
    """The objects that one recording touched, each with its guard at first touch."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Guarded, Hashable]] = {}

    def add(self, touched: Guarded) -> None:
        """Note an object, once."""
        if id(touched) not in self._seen:
            self._seen[id(touched)] = (touched, _guard_of(touched))

    def changed(self) -> str | None:
        """Name the first object that is not as it was; None where all are."""
        for touched, guard in self._seen.values():
            if _guard_of(touched) != guard:
                return f"an attribute of {type(touched).__name__} changed"
        return None


class _Stack(threading.local):
    def __init__(self) -> None:
        self.guards: list[Guards] = []


_stack = _Stack()


def begin() -> Guards:
    """Start to note what is touched in this thread."""
    guards = Guards()
    _stack.guards.append(guards)
    return guards


def end() -> None:
    """Stop noting."""
    _stack.guards.pop()


def touch(touched: Guarded) -> None:
    """Note that the step being recorded depends on an object's attributes; outside recordings, nothing."""
    if _stack.guards and _core.recording():
        _stack.guards[-1].add(touched)
