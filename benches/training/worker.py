"""One library in a process of its own: reads commands from stdin, one JSON object a line, and answers likewise.

python worker.py trainsmith 2
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from workloads import WORKLOADS

#: What passes, or what all threads of the process compute: the same for one thread of a machine that is not shared.
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
MODULES = {"trainsmith": "trainsmith_steps", "torch": "torch_steps", "jax": "jax_steps"}


class Session:
    """The step that is open now."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self._step: Any = None

    def open(self, workload: str, mode: str) -> dict[str, Any]:
        """Makes model, data and optimizer from the start weights."""
        chosen = WORKLOADS[workload]
        weights, x, y = chosen.arrays()
        self._step = self._library.make_step(chosen, weights, *self._library.tensors(x, y), mode)
        return {}

    def losses(self, steps: int) -> dict[str, Any]:
        """Trains, and times the first step with its compilation."""
        start = time.perf_counter()
        losses = [float(self._step())]
        first = time.perf_counter() - start
        losses += [float(self._step()) for _ in range(steps - 1)]
        return {"losses": losses, "first_step_s": first}

    def calibrate(self, seconds: float, clock: str) -> dict[str, Any]:
        """Finds how many steps take about as long."""
        steps = 1
        while (taken := self.seconds_of(steps, clock)) < seconds / 2:
            steps *= 2
        return {"steps": max(1, round(steps * seconds / taken))}

    def time(self, steps: int, clock: str) -> dict[str, Any]:
        return {"microseconds": self.seconds_of(steps, clock) / steps * 1e6}

    def seconds_of(self, steps: int, clock: str) -> float:
        step, now = self._step, CLOCKS[clock]
        start = now()
        for _ in range(steps):
            step()
        return now() - start

    def memory(self, workload: str, mode: str, steps: int) -> dict[str, Any]:
        """Growth of the peak over what the process holds after import and data."""
        chosen = WORKLOADS[workload]
        weights, x, y = chosen.arrays()
        data = self._library.tensors(x, y)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
        before = peak_bytes()
        step = self._library.make_step(chosen, weights, *data, mode)
        for _ in range(steps):
            step()
        return {"bytes": peak_bytes() - before}


def peak_bytes() -> int:
    """Peak resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints does not mix with the answers
    try:
        library = importlib.import_module(MODULES[name])
    except ImportError as problem:
        print(json.dumps({"error": str(problem)}), file=answers, flush=True)
        return
    library.set_threads(threads)
    print(json.dumps({"version": library.VERSION}), file=answers, flush=True)
    session = Session(library)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(session, command.pop("do"))(**command)
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
