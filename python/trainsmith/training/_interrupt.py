"""Turns the first Ctrl-C or SIGTERM into a request to stop."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt() -> Generator[Callable[[], bool], None, None]:
    """Lets a block finish its step and save at Ctrl-C (SIGINT) or SIGTERM; a second one raises `KeyboardInterrupt`.

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
            signal.default_int_handler(signal.SIGINT, frame)
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
