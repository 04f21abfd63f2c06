"""Times one workload with several workers in turns, and what follows from the times."""

import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

from contenders import AnswerError, Worker

#: Steps over which losses are compared, and how far they may part, relative to the first.
LOSS_STEPS, LOSS_TOLERANCE = 5, 1e-3


@dataclass
class Comparison:
    """Times of one workload at one number of threads.

    Args:
        workload: its name.
        threads: threads of every library.
        microseconds: time of a step in each round, by contender.
        first_step_s: time of the first step with its compilation, by contender.
        losses: over the first steps, by contender.
    """

    workload: str
    threads: int
    microseconds: dict[str, list[float]] = field(default_factory=dict)
    first_step_s: dict[str, float] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)

    def median(self, contender: str) -> float:
        return statistics.median(self.microseconds[contender])

    def ratios(self) -> dict[str, float]:
        """Our time over each peer's, the median over the rounds."""
        ours, *peers = self.microseconds
        return {
            peer: statistics.median(a / b for a, b in zip(self.microseconds[ours], self.microseconds[peer]))
            for peer in peers
        }

    def loss_difference(self) -> float:
        """Largest difference from our losses, relative to the first."""
        ours, *peers = self.losses.values()
        differences = [abs(a - b) for peer in peers for a, b in zip(ours, peer)]
        return max(differences, default=0.0) / abs(ours[0])

    def as_json(self) -> dict[str, Any]:
        return {
            "workload": self.workload,
            "threads": self.threads,
            "microseconds": self.microseconds,
            "first_step_s": self.first_step_s,
            "ratios": self.ratios(),
            "losses": self.losses,
            "loss_difference": self.loss_difference(),
        }


def compare(workload: str, threads: int, workers: list[Worker], rounds: int, seconds: float, clock: str) -> Comparison:
    """Gives each worker a slice of `seconds` in each round, in turning order, so that drift hits all alike."""
    result = Comparison(workload, threads)
    steps: dict[str, int] = {}
    able: list[Worker] = []
    for worker in workers:
        try:
            worker.ask(do="open", workload=workload, mode=worker.mode)
            first = worker.ask(do="losses", steps=LOSS_STEPS)
        except AnswerError as problem:
            if worker is workers[0]:
                raise
            print(f"{workload}: left out: {problem}", file=sys.stderr)
            continue
        able.append(worker)
        result.losses[worker.contender] = first["losses"]
        result.first_step_s[worker.contender] = first["first_step_s"]
        steps[worker.contender] = worker.ask(do="calibrate", seconds=seconds, clock=clock)["steps"]
        result.microseconds[worker.contender] = []
    for turn in range(rounds):
        for worker in able if turn % 2 else reversed(able):
            timed = worker.ask(do="time", steps=steps[worker.contender], clock=clock)
            result.microseconds[worker.contender].append(timed["microseconds"])
    return result
