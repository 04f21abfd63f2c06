"""Times training steps of trainsmith and its peers in turns, and prints how their times compare.

python benches/training                              every workload, every installed peer, 1 and 2 threads
python benches/training --peer-python other/bin/python --json out.json --svg out.svg
python benches/training --only tabular_mlp --library trainsmith --threads 2
python benches/training --memory
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from chart import chart
from comparison import LOSS_TOLERANCE, Comparison, compare
from contenders import Worker, named, start
from workloads import WORKLOADS

MEMORY_STEPS = 10


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python benches/training", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="workloads, separated by commas")
    parser.add_argument(
        "--library", default="", help="contenders such as trainsmith,torch:eager; ratios are to the first"
    )
    parser.add_argument("--threads", default="1,2", help="numbers of threads, separated by commas")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--rounds", type=int, default=9, help="turns of every library")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of one turn")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a busy machine")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--svg", type=Path, help="file for a chart of the last number of threads")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    return parser.parse_args()


def cpu() -> str:
    """What the processor calls itself and can do."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    widest = next((name for name in ("avx512f", "avx2") if name in fields.get("flags", "").split()), "")
    return " ".join(filter(None, (fields.get("model name", platform.processor()), widest, f"{os.cpu_count()} CPUs")))


def times(contenders: list[str], workloads: list[str], options: argparse.Namespace) -> tuple[list[Comparison], Any]:
    """Runs every comparison and prints its row."""
    results: list[Comparison] = []
    versions: dict[str, str] = {}
    for threads in [int(count) for count in options.threads.split(",")]:
        started = [start(contender, threads, options.peer_python) for contender in contenders]
        workers: list[Worker] = [worker for worker in started if worker is not None]
        versions = {worker.contender: worker.version for worker in workers}
        print(row(["workload", "threads", *(w.contender for w in workers), "ratio to the best peer"]))
        print(row(["---", *["---:"] * (len(workers) + 2)]))
        for workload in workloads:
            result = compare(workload, threads, workers, options.rounds, options.seconds, options.clock)
            # Another mode of our own is no peer where there are others.
            ratios = result.ratios()
            peers = {name: ratio for name, ratio in ratios.items() if not name.startswith("trainsmith")} or ratios
            worst = f"{max(peers.values()):.2f}" if peers else ""
            medians = [
                f"{result.median(w.contender):,.1f}" if w.contender in result.microseconds else "" for w in workers
            ]
            print(row([workload, str(threads), *medians, worst]), flush=True)
            results.append(result)
        for worker in workers:
            worker.close()
    return results, versions


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def memory(contenders: list[str], workloads: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Prints in MiB how far each library's peak grows, each in a process of its own."""
    threads = max(int(count) for count in options.threads.split(","))
    figures: list[dict[str, Any]] = []
    print(row(["workload", *contenders]))
    print(row(["---", *["---:"] * len(contenders)]))
    for workload in workloads:
        grown: dict[str, float] = {}
        for contender in contenders:
            worker = start(contender, threads, options.peer_python)
            if worker is not None:
                asked = worker.ask(do="memory", workload=workload, mode=worker.mode, steps=MEMORY_STEPS)
                grown[contender] = asked["bytes"] / 2**20
                worker.close()
        print(row([workload, *(f"{grown[c]:.1f}" if c in grown else "" for c in contenders)]), flush=True)
        figures.append({"workload": workload, "threads": threads, "growth_mib": grown})
    return figures


def main() -> int:
    options = arguments()
    contenders = named(options.library)
    workloads = options.only.split(",") if options.only else list(WORKLOADS)
    unknown = sorted(set(workloads) - set(WORKLOADS))
    if unknown:
        raise SystemExit(f"--only: expected some of {', '.join(WORKLOADS)}, got {', '.join(unknown)}")
    print(f"{cpu()}, {platform.system()}; microseconds a step\n" if not options.memory else f"{cpu()}; MiB\n")
    parted: list[str] = []
    figures: dict[str, Any] = {"cpu": cpu(), "python": platform.python_version(), "clock": options.clock}
    if options.memory:
        figures["memory"] = memory(contenders, workloads, options)
    else:
        results, figures["versions"] = times(contenders, workloads, options)
        figures["runs"] = [result.as_json() for result in results]
        if options.svg:
            last = [result for result in results if result.threads == results[-1].threads]
            title = f"Time of a training step, multiples of ours; {last[0].threads} threads, {cpu()}"
            options.svg.write_text(chart(last, title), encoding="utf-8")
        parted = [f"{r.workload}: {r.loss_difference():.1e}" for r in results if r.loss_difference() > LOSS_TOLERANCE]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if parted:
        print(f"losses part by more than {LOSS_TOLERANCE:g}: {'; '.join(parted)}", file=sys.stderr)
    return 1 if parted else 0


if __name__ == "__main__":
    sys.exit(main())
