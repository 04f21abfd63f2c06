"""Times what the training loop adds to the bare captured step: a 32-128-128-1 network, batches of 256 rows.

python benches/training/overhead.py [--turns 15] [--epochs 40] [--json out.json]

Turns of the bare step and of the loop alternate; times are those of the process on the CPU, so that other work on the
machine counts little. Both get the same batches, ready in memory; a third contender takes them
out of arrays, shuffled, as `fit` does. The loop has a progress bar on a terminal and a CSV history on.
"""

import argparse
import io
import json
import statistics
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
        start = time.process_time()
        for _ in range(epochs):
            for pair in pairs:
                loss = step(*pair)
            float(loss)
        return (time.process_time() - start) / (epochs * len(pairs))

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
        start = time.process_time()
        loop.run()
        return (time.process_time() - start) / (epochs * batches)

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=20)
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
            for name, turn in contenders.items():
                times[name].append(turn())
    base = times["bare step"]
    figures = {}
    for name, found in times.items():
        ratios = [one / other for one, other in zip(found, base)]
        figures[name] = {
            "us": statistics.median(found) * 1e6,
            "least_us": min(found) * 1e6,
            "ratio": statistics.median(ratios),
        }
        print(f"{name:24} {figures[name]['us']:9.1f} us/step  x{figures[name]['ratio']:.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
