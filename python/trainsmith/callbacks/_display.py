"""What a terminal shows while a model trains: lines that stay, and a bar that moves."""

import importlib
import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

_BAR = 30
_PERIOD_SECONDS = 0.1


class Display(Protocol):
    """Shows progress inside a `with` block."""

    def __enter__(self) -> Self:
        """Starts."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes the bar."""
        ...

    def line(self, text: str) -> None:
        """Writes a line that stays."""
        ...

    def progress(self, label: str, share: float) -> None:
        """Moves the bar; the share is in [0, 1]."""
        ...


def make_display() -> Display:
    """Chooses the display: a notebook's in one, rich's in a terminal where it is installed, else a plain one.

    Returns:
        The display.

    Example:
        >>> with make_display() as display:
        ...     display.line("ready")
        ready
    """
    if "ipykernel" in sys.modules:
        try:
            return NotebookDisplay(importlib.import_module("IPython.display"), sys.stdout)
        except ImportError:
            pass
    if sys.stdout.isatty():
        try:
            return RichDisplay(importlib.import_module("rich.progress"))
        except ImportError:
            pass
    return PlainDisplay(sys.stdout, sys.stderr)


class PlainDisplay:
    """Lines on one stream; on the other a bar, where that is a terminal.

    Args:
        lines: where lines go.
        bar: where the bar goes.

    Example:
        >>> with PlainDisplay(sys.stdout, sys.stdout) as display:
        ...     display.line("ready")
        ready
    """

    def __init__(self, lines: TextIO, bar: TextIO) -> None:
        self._lines = lines
        self._bar = bar if bar.isatty() else None
        self._width = 0
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def line(self, text: str) -> None:
        """Writes a line that stays.

        Args:
            text: the line.
        """
        self._clear()
        self._lines.write(f"{text}\n")
        self._lines.flush()

    def progress(self, label: str, share: float) -> None:
        """Redraws the bar, at most ten times a second.

        Args:
            label: what is going on.
            share: how much of it is done, in [0, 1].
        """
        now = time.monotonic()
        if self._bar is None or now - self._last < _PERIOD_SECONDS:
            return
        self._last = now
        text = bar_text(label, share)
        self._bar.write(f"\r{text.ljust(self._width)}")
        self._bar.flush()
        self._width = len(text)

    def _clear(self) -> None:
        if self._bar is not None and self._width:
            self._bar.write(f"\r{' ' * self._width}\r")
            self._bar.flush()
            self._width = 0


class NotebookDisplay:
    """Lines on a stream; below the cell a bar that is updated in place.

    Args:
        module: the module `IPython.display`.
        lines: where lines go.
    """

    def __init__(self, module: Any, lines: TextIO) -> None:
        self._module = module
        self._lines = lines
        self._handle: Any = None

    def __enter__(self) -> Self:
        self._handle = self._module.display({"text/plain": ""}, raw=True, display_id=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show("")

    def line(self, text: str) -> None:
        """Writes a line that stays.

        Args:
            text: the line.
        """
        print(text, file=self._lines, flush=True)

    def progress(self, label: str, share: float) -> None:
        """Redraws the bar.

        Args:
            label: what is going on.
            share: how much of it is done, in [0, 1].
        """
        self._show(bar_text(label, share))

    def _show(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)


def bar_text(label: str, share: float) -> str:
    """Draws a bar with text.

    Args:
        label: what is going on.
        share: how much of it is done, in [0, 1].

    Returns:
        One line.

    Example:
        >>> bar_text("epoch 1/2", 0.5)
        'epoch 1/2 [###############...............]  50%'
    """
    done = int(_BAR * share)
    return f"{label} [{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}"


class RichDisplay:
    """The same with rich's progress bar and remaining time.

    Args:
        module: the module `rich.progress`.
        console: rich's console; the one of standard output by default.
    """

    def __init__(self, module: Any, console: Any = None) -> None:
        self._progress: Any = module.Progress(
            module.TextColumn("{task.description}"),
            module.BarColumn(),
            module.TaskProgressColumn(),
            module.TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: Any = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def line(self, text: str) -> None:
        """Writes a line that stays.

        Args:
            text: the line.
        """
        self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def progress(self, label: str, share: float) -> None:
        """Moves the bar.

        Args:
            label: what is going on.
            share: how much of it is done, in [0, 1].
        """
        self._progress.update(self._task, description=label, completed=share)
