"""Times what the training loop adds to the bare captured step: a 32-128-128-1 network, batches of 256 rows.

python benches/training/overhead.py [--turns 100] [--epochs 10] [--wall] [--json out.json]

Short turns of the bare step and of the loop alternate, in an order that is drawn anew. The clock is that of the calling
thread on the CPU, so with TRAINSMITH_NUM_THREADS=1 other work on the machine counts little; `--wall` takes the clock on
the wall. Both get the same batches, ready in memory; a third contender takes them out of arrays, shuffled, as `fit`
does. The loop has a progress bar on a terminal and a CSV history on. An epoch has 32 steps; a turn is a run with its
start and its end. The ratio is the median over the turns of a contender's time over that of the bare step beside it.
"""

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.callbacks import ProgressBar
from trainsmith.callbacks._display import PlainDisplay
from trainsmith.loggers import CsvLogger
from trainsmith.training import ArrayDataProvider, BatchConfig, DataIteratorAdapter, DefaultTrainer, Graph
from trainsmith.training.loop import LoopConfig, TrainerLearner, TrainingLoop

ROWS = 8192
BATCH = 256
CLOCK = time.perf_counter if "--wall" in sys.argv else time.thread_time


class Terminal(io.StringIO):
    """A stream that takes the bar."""

    def isatty(self) -> bool:
        return True


def network() -> tuple[nn.Module, optim.Optimizer]:
    ts.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    return model, optim.AdamW(model.parameters(), lr=1e-3)


def bare(batches, epochs):
    """Seconds per step of a compiled function in a plain loop; the loss is read once per epoch."""
    model, optimizer = network()

    @ts.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    pairs = [(batch.inputs["x"], batch.targets) for batch in batches]
    step(*pairs[0])

    def turn():
        start = CLOCK()
        for _ in range(epochs):
            for pair in pairs:
                loss = step(*pair)
            float(loss)
        return (CLOCK() - start) / (epochs * len(pairs))

    return turn


def looped(data, batches, epochs, folder):
    """Seconds per step of the loop with bar and history."""
    model, optimizer = network()
    graph = Graph(model)
    learner = TrainerLearner(DefaultTrainer(graph, nn.MSELoss(), optimizer), graph, optimizer)
    data.next()
    learner.train_step(data.batch())

    def turn():
        callbacks = [ProgressBar(PlainDisplay(io.StringIO(), Terminal())), CsvLogger(folder / "history.csv")]
        config = LoopConfig(max_epochs=epochs)
        loop = TrainingLoop(learner, data, config=config, callbacks=callbacks, batches=batches, stop=lambda: False)
        start = CLOCK()
        loop.run()
        return (CLOCK() - start) / (epochs * batches)

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    x = generator.normal(size=(ROWS, 32)).astype("float32")
    provider = ArrayDataProvider(x, np.sin(x[:, :1]))
    batches = list(provider.get_training_data(BatchConfig(batch_size=BATCH, shuffle=False)))
    with tempfile.TemporaryDirectory() as place:
        arrays = provider.get_training_data(BatchConfig(batch_size=BATCH))
        contenders = {
            "bare step": bare(batches, options.epochs),
            "loop": looped(DataIteratorAdapter(batches), len(batches), options.epochs, Path(place)),
            "loop, shuffled arrays": looped(arrays, len(batches), options.epochs, Path(place)),
        }
        times = {name: [] for name in contenders}
        for _ in range(options.turns):
            for name in generator.permutation(list(contenders)):
                times[name].append(contenders[name]())
    figures = {}
    for name, found in times.items():
        least, median = min(found), statistics.median(found)
        ratio = statistics.median(mine / base for mine, base in zip(found, times["bare step"], strict=True))
        figures[name] = {"least_us": least * 1e6, "median_us": median * 1e6, "ratio": ratio}
        print(f"{name:24} least {least * 1e6:8.1f} us/step  median {median * 1e6:8.1f}  x{ratio:.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
