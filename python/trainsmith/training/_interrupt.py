"""Turns the first Ctrl-C into a request to stop."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt() -> Generator[Callable[[], bool], None, None]:
    """Lets a block finish its step and save when Ctrl-C is pressed; a second Ctrl-C raises `KeyboardInterrupt`.

    Outside the main thread, where Python delivers no signals, it changes nothing.

    Yields:
        A function that says whether to stop.

    Example:
        >>> with stop_on_interrupt() as interrupted:
        ...     interrupted()
        False
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
