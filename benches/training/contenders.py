"""Libraries as the runner sees them: one worker process each, commands and answers over pipes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
#: What `--library` may name, the default ones first; ours leads the tables.
CONTENDERS = ("trainsmith:captured", "torch:eager", "torch:compile", "jax:jit", "trainsmith:eager")
DEFAULT = CONTENDERS[:4]
#: NumPy's own settings that would slow one library down and not another.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS")


class AnswerError(RuntimeError):
    """A worker could not do what it was asked."""


@dataclass
class Worker:
    """A process that holds one library."""

    contender: str
    process: "subprocess.Popen[str]"
    version: str = ""

    @property
    def mode(self) -> str:
        return self.contender.partition(":")[2]

    def ask(self, **command: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AnswerError(f"{self.contender}: the worker ended")
        answer = json.loads(line)
        if "error" in answer:
            raise AnswerError(f"{self.contender}: {answer['error']}")
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def start(contender: str, threads: int, peer_python: str) -> Worker | None:
    """Starts a worker; None where the library is not installed."""
    library = contender.partition(":")[0]
    python = sys.executable if library == "trainsmith" else peer_python
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    process = subprocess.Popen(
        [python, str(WORKER), library, str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    worker = Worker(contender, process)
    try:
        worker.version = worker.answer()["version"]
    except AnswerError as problem:
        if library == "trainsmith":
            raise
        print(f"left out: {problem}", file=sys.stderr)
        worker.close()
        return None
    return worker


def named(libraries: str) -> list[str]:
    """Contenders of a comma list such as `trainsmith,torch:eager`."""
    if not libraries:
        return list(DEFAULT)
    chosen: list[str] = []
    for name in libraries.split(","):
        found = [name] if ":" in name else [c for c in DEFAULT if c.startswith(f"{name}:")]
        if not found or found[0] not in CONTENDERS:
            raise SystemExit(f"--library: expected some of {', '.join(CONTENDERS)}, got {name}")
        chosen += found
    return chosen
