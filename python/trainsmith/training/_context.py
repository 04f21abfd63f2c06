"""Cancellation, a deadline and shared values for one piece of work."""

import threading
import time
import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from trainsmith._core import StopFlag as CoreFlag
from trainsmith.data._wording import worded
from trainsmith.errors import CancelledError, ConfigError, DeadlineError

_OP = "run_context"
_SLICE = 0.05


class StopFlag(Protocol):
    """A flag that is set once, seen by every thread: the core's atomic flag, or a `threading.Event`."""

    def set(self) -> None:
        """Sets the flag."""
        ...

    def is_set(self) -> bool:
        """Says whether the flag is set."""
        ...


class RunContext:
    """Tells a running piece of work whether to go on; every method may be called from any thread.

    A context is done once it or an ancestor is cancelled or has passed its deadline. It never becomes undone.

    Args:
        timeout: seconds from now until the deadline, at least 0; None for no deadline of its own.
        values: entries that the work may look up; children see them too.
        parent: the context that this one ends with; see `child`.
        flag: what `cancel` sets and what is asked; by default an atomic flag that the core sees while it runs many
            steps without Python. A flag that other code shares cancels the context when it is set there.

    Raises:
        ConfigError: a timeout that is negative or not a number.

    Example:
        >>> context = RunContext(values={"run": 7})
        >>> fold = context.child(values={"fold": 0})
        >>> context.cancel("enough")
        >>> fold.done, fold.value("run"), fold.value("fold")
        (True, 7, 0)
        >>> fold.reason
        'enough'
    """

    def __init__(
        self,
        *,
        timeout: float | None = None,
        values: Mapping[str, Any] | None = None,
        parent: "RunContext | None" = None,
        flag: StopFlag | None = None,
    ) -> None:
        if timeout is not None and not timeout >= 0:
            raise worded(
                ConfigError,
                _OP,
                "timeout must be a number of seconds",
                expected="at least 0, or None",
                got=repr(timeout),
                step="pass the seconds that the work may take",
            )
        self._parent = parent
        self._values = MappingProxyType(dict(values or {}))
        self._flag: StopFlag = CoreFlag() if flag is None else flag
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._reason = ""
        self._children: weakref.WeakSet[RunContext] = weakref.WeakSet()
        own = None if timeout is None else time.monotonic() + timeout
        above = None if parent is None else parent.deadline
        self._deadline = own if above is None else above if own is None else min(own, above)
        if parent is not None:
            parent._adopt(self)

    def child(self, *, timeout: float | None = None, values: Mapping[str, Any] | None = None) -> "RunContext":
        """Makes a context that ends with this one and may end earlier.

        Args:
            timeout: seconds from now, at least 0; an earlier deadline of this context still holds.
            values: further entries; they hide entries of the same name.

        Returns:
            The child; cancelling it leaves this context alone.
        """
        return RunContext(timeout=timeout, values=values, parent=self)

    def cancel(self, reason: str = "") -> None:
        """Asks the work, and that of every child, to stop.

        Args:
            reason: a few words for the error message; the first reason stays.
        """
        with self._lock:
            if not self._reason:
                self._reason = reason or "cancelled"
            self._flag.set()
            children = list(self._children)
        self._woken.set()
        for child in children:
            child._wake()

    @property
    def cancelled(self) -> bool:
        """Whether this context or an ancestor was cancelled; a passed deadline is no cancellation."""
        return self._flag.is_set() or (self._parent is not None and self._parent.cancelled)

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def done(self) -> bool:
        """Whether the work should stop."""
        return self.cancelled or self.expired

    @property
    def deadline(self) -> float | None:
        """The time of `time.monotonic` at which the context ends; None where it has no deadline."""
        return self._deadline

    @property
    def flag(self) -> StopFlag:
        """The flag of this context alone; an ancestor's is not part of it."""
        return self._flag

    @property
    def reason(self) -> str:
        """Why the context is done; empty while it is not."""
        if self._flag.is_set():
            return self._reason or "cancelled"
        if self._parent is not None and self._parent.cancelled:
            return self._parent.reason
        return "deadline passed" if self.expired else ""

    def remaining(self) -> float | None:
        """Returns the seconds until the deadline, at least 0; None where there is no deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def value(self, name: str, default: Any = None) -> Any:
        """Looks up an entry here and then in the ancestors.

        Args:
            name: the entry.
            default: what to return where there is none.

        Returns:
            The value.
        """
        context: RunContext | None = self
        while context is not None:
            if name in context._values:
                return context._values[name]
            context = context._parent
        return default

    def wait(self, seconds: float | None = None) -> bool:
        """Sleeps until the context is done.

        Args:
            seconds: at most this long; None waits without a limit.

        Returns:
            Whether the context is done.
        """
        end = None if seconds is None else time.monotonic() + seconds
        # Slices, as a deadline and a flag that other code sets wake nobody.
        while not self.done:
            left = [_SLICE, *(limit - time.monotonic() for limit in (end, self._deadline) if limit is not None)]
            if end is not None and end <= time.monotonic():
                return self.done
            self._woken.wait(max(0.0, min(left)))
        return True

    def raise_if_done(self, op: str = _OP) -> None:
        """Raises where the work should stop.

        Args:
            op: the operation that asks; it opens the message.

        Raises:
            CancelledError: the context was cancelled.
            DeadlineError: its deadline has passed.
        """
        if self.cancelled:
            raise worded(
                CancelledError,
                op,
                "the run must not be cancelled",
                expected="a live context",
                got=self.reason,
                step="start again with a new RunContext",
            )
        if self.expired:
            raise worded(
                DeadlineError,
                op,
                "the run must end before its deadline",
                expected="time left",
                got="none",
                step="give a longer timeout",
            )

    def _adopt(self, child: "RunContext") -> None:
        with self._lock:
            self._children.add(child)

    def _wake(self) -> None:
        self._woken.set()
        with self._lock:
            children = list(self._children)
        for child in children:
            child._wake()


def raise_if_done(ctx: RunContext | None, op: str) -> None:
    """Raises where a context is given and done.

    Args:
        ctx: the context, or None.
        op: the operation that asks.

    Raises:
        CancelledError: the context was cancelled or has passed its deadline.

    Example:
        >>> raise_if_done(None, "fit")
    """
    if ctx is not None:
        ctx.raise_if_done(op)
