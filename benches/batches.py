"""What a batch costs the thread that trains, beside the work of the thread that gathers.

Run `python benches/batches.py`. A pause between two batches stands for the step; the clock is that of the calling
thread, so other processes do not count.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from trainsmith.data import batches
from trainsmith.training import ArrayDataProvider, BatchConfig, WindowDataProvider

PAUSE = 2e-4
COUNT = 300


def microseconds(make: Callable[[], Any], take: Callable[[Any], Any]) -> float:
    """Returns the least mean cost of a batch in five runs."""
    best = float("inf")
    for _ in range(5):
        source, spent = make(), 0.0
        for _ in range(COUNT):
            started = time.thread_time()
            take(source)
            spent += time.thread_time() - started
            until = time.perf_counter() + PAUSE
            while time.perf_counter() < until:
                pass
        best = min(best, spent / COUNT)
    return best * 1e6


def main() -> None:
    """Prints one line per way to make batches."""
    x, y = np.zeros((100_000, 32), np.float32), np.zeros((100_000, 1), np.float32)
    provider = ArrayDataProvider(x, y)
    windows = WindowDataProvider(np.random.default_rng(0).normal(size=(100_000, 8)), window_len=24)
    config = BatchConfig(batch_size=256)
    clock = microseconds(lambda: None, lambda source: None)
    rows: list[tuple[str, Callable[[], Any], Callable[[Any], Any]]] = [
        ("batches, in order", lambda: batches(x, y, batch_size=256), next),
        ("batches, shuffled", lambda: batches(x, y, batch_size=256, shuffle=True, seed=1), next),
        ("ArrayDataProvider", lambda: provider.get_training_data(config), lambda source: source.next()),
        ("WindowDataProvider", lambda: windows.get_training_data(config), lambda source: source.next()),
    ]
    for name, make, take in rows:
        print(f"{name:20} {microseconds(make, take) - clock:6.1f} us")


if __name__ == "__main__":
    main()
