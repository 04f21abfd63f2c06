"""Profiles: what each kernel takes, as a table and as a trace."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from trainsmith import _core
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, GraphError, IoError

__all__ = ["KernelTime", "Profile", "profile"]

#: Characters of a kernel's name in the table; `kernels` has all of it.
_WIDEST = 88

_CLOCKS = {
    "host": "timed by the threads that ran the kernels; times of several threads add up",
    "gpu": "timed by the GPU at both ends of each kernel, which runs alone",
    "waiting": "timed by the host from the hand-over of a kernel to its end, since this GPU has no clock to read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTime:
    """One kernel over a whole profile.

    Args:
        device: where it ran.
        name: its op or ops, with shapes.
        calls: how often it ran.
        seconds: time of all calls, of all threads added up.
        bytes: what all calls read and write, each operand once.
        flops: arithmetic operations of all calls; a product counts two for each term, an elementwise op one for each
            element, what only moves elements none.
    """

    device: str
    name: str
    calls: int
    seconds: float
    bytes: int
    flops: int


class Profile:
    """What ran inside a `with` block. Made by `profile`."""

    def __init__(self) -> None:
        self._seen: _core.Profile | None = None

    def __enter__(self) -> Self:
        if self._seen is not None:
            raise problem(
                GraphError, "profile", "a new profile for each block; call profile() again", "one that has run"
            )
        _core.start_profile()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seen = _core.stop_profile()

    @property
    def seconds(self) -> float:
        """Time from the beginning of the block to its end."""
        return self._done().seconds

    @property
    def kernels(self) -> list[KernelTime]:
        """The kernels that ran, those that took longest first."""
        return [
            KernelTime(device=device, name=name, calls=calls, seconds=seconds, bytes=size, flops=flops)
            for device, name, calls, seconds, size, flops in self._done().rows()
        ]

    def table(self, limit: int | None = 30) -> str:
        """Writes the kernels as a table, those that took longest first.

        Args:
            limit: rows at most; the rest is one row. None for all.

        Returns:
            Lines with calls, time, share, time of a call, operations and bytes per second, then how time was taken.

        Raises:
            ArgumentError: a limit below 1.
            GraphError: the block has not ended yet.

        Example:
            >>> import trainsmith as ts
            >>> with ts.profile() as p:
            ...     _ = ts.ones((8, 4)) @ ts.ones((4, 2))
            >>> "matmul (8, 4) x (4, 2)" in p.table()
            True
        """
        if limit is not None and limit < 1:
            raise problem(ArgumentError, "table", "a limit of at least 1 row, or None", str(limit))
        kernels, clocks = self.kernels, self._done().clocks()
        whole = f"{1e3 * self.seconds:.3f} ms from the beginning of the block to its end"
        if not kernels:
            return f"no kernel ran\n{whole}"
        total = sum(kernel.seconds for kernel in kernels)
        shown = kernels[:limit]
        rest = kernels[len(shown) :]
        rows = [_row(kernel.name, kernel.device, [kernel], total) for kernel in shown]
        if rest:
            rows.append(_row(f"{len(rest)} more", "", rest, total))
        rows.append(_row("all", "", kernels, total))
        header = ["kernel", "device", "calls", "ms", "%", "us a call", "GFLOP/s", "GB/s"]
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in (header, *rows)
        ]
        return "\n".join([*lines, whole, *(f"{device}: {_CLOCKS[clock]}" for device, clock in clocks)])

    def export_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the runs of all kernels for a trace viewer, such as Perfetto (ui.perfetto.dev) or chrome://tracing.

        The file appears whole or not at all. It has the first million runs; `otherData` counts those left out.

        Args:
            path: the file, JSON; one that is there is replaced.

        Raises:
            GraphError: the block has not ended yet.
            IoError: a place that cannot be written.

        Example:
            >>> import json, tempfile
            >>> from pathlib import Path
            >>> import trainsmith as ts
            >>> with ts.profile() as p:
            ...     _ = ts.ones(3) + 1.0
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     p.export_trace(Path(folder) / "trace.json")
            ...     events = json.loads((Path(folder) / "trace.json").read_text())["traceEvents"]
            >>> any(event["name"] == "add (3,)" for event in events)
            True
        """
        text, target = self._done().trace(), Path(path)
        draft = target.with_name(f".{target.name}.new-{os.getpid()}")
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            said = f"{error.strerror or error} at {os.fspath(path)!r}"
            raise problem(IoError, "export_trace", "a place that can be written; choose another path", said) from error

    def _done(self) -> _core.Profile:
        if self._seen is None:
            raise problem(GraphError, "profile", "a block that has ended; ask after the with block", "one that has not")
        return self._seen


def _row(name: str, device: str, kernels: list[KernelTime], total: float) -> list[str]:
    calls, seconds = sum(one.calls for one in kernels), sum(one.seconds for one in kernels)

    def rate(amount: int) -> str:
        return f"{1e-9 * amount / seconds:.2f}" if seconds and amount else "-"

    share, each = 100 * seconds / total if total else 0.0, 1e6 * seconds / max(calls, 1)
    rates = [rate(sum(one.flops for one in kernels)), rate(sum(one.bytes for one in kernels))]
    name = name if len(name) <= _WIDEST else f"{name[: _WIDEST - 3]}..."
    return [name, device, str(calls), f"{1e3 * seconds:.3f}", f"{share:.1f}", f"{each:.2f}", *rates]


def profile() -> Profile:
    """Notes what each kernel takes while a `with` block runs: time, bytes and arithmetic operations.

    All threads and devices of the process are seen, eager ops and captured steps. Kernels run as without one; on a GPU
    each gets a pass of its own. One profile runs at a time.

    Returns:
        The profile, to be entered; `table`, `kernels` and `export_trace` work once the block has ended.

    Raises:
        ArgumentError: on entry, while another profile runs.

    Example:
        >>> import trainsmith as ts
        >>> with ts.profile() as p:
        ...     y = ts.ones((8, 4)) @ ts.ones((4, 2))
        >>> [(kernel.name, kernel.flops) for kernel in p.kernels if kernel.flops]
        [('matmul (8, 4) x (4, 2)', 128)]
    """
    return Profile()
