"""`trainsmith tune`: measures which kernels a GPU runs fastest, and leaves a table for later runs."""

import time
from argparse import ArgumentParser, Namespace

from trainsmith import _core
from trainsmith.callbacks._display import make_display
from trainsmith.callbacks._table import table_lines


def add_tune(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith tune`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("--device", default="gpu", help="the GPU to measure, such as gpu:1; gpu by default")
    parser.set_defaults(run=tune)


def tune(arguments: Namespace) -> int:
    """Runs `trainsmith tune`.

    Args:
        arguments: what `add_tune` declared.

    Returns:
        The exit code, 0.

    Raises:
        TrainsmithError: there is no such GPU, or the table cannot be written; nothing is left then.
    """
    start = time.perf_counter()
    tuner = _core.Tuner(arguments.device)
    rows: list[list[str]] = []
    with make_display() as display:
        for case in range(tuner.count()):
            display.progress("measuring", case / tuner.count())
            what, times, best = tuner.measure(case)
            cells = [f"{name} {_time(seconds)}" for name, seconds in times]
            rows.append([what, "left out: too slow here" if best is None else times[best][0], "  ".join(cells)])
    path, table = tuner.save()
    print("\n".join(line.rstrip() for line in table_lines(["measured", "fastest", "times"], rows)))
    print(f"saved  {path} (table {table}) in {time.perf_counter() - start:.1f} s")
    print("processes that start from now on use it; a resumed run notices another table than its own")
    return 0


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.0f} us" if seconds < 1e-3 else f"{1e3 * seconds:.2f} ms"
