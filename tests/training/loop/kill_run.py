"""A training process to be killed: `python kill_run.py FOLDER EPOCHS DEVICE`. It goes on from the newest checkpoint.

Everything that has state is on: dropout, shuffling, a schedule, an exponential average, accumulation, early stopping,
a CSV history and TensorBoard events. When it is done it writes `done.json` with hashes of weights and predictions, and
the history without wall-clock time.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from trainsmith import nn, optim
from trainsmith.loggers import CsvLogger, TensorBoardLogger
from trainsmith.training import ArrayDataProvider, BatchConfig, CheckpointConfig, StandardWorkflow, WorkflowConfig
from trainsmith.training.strategies import AccumulationStrategy, ClippingStrategy


class Models:
    """Makes a small network with dropout."""

    def __init__(self, device):
        self.device = device

    def create_model(self, config, *, ctx=None):
        return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1)).to(self.device)


def data(device):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1000, 8)).astype("float32")
    y = (np.sin(x[:, :1]) * x[:, 1:2] + 0.1 * generator.normal(size=(1000, 1))).astype("float32")
    return ArrayDataProvider(x[:800], y[:800], validation=(x[800:], y[800:]), seed=3, device=device)


def digest(arrays):
    return {name: hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest() for name, value in arrays.items()}


def main(folder, epochs, device):
    provider, csv = data(device), CsvLogger(folder / "history.csv")
    workflow = StandardWorkflow(
        schedule=lambda optimizer: optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=epochs * 50),
        schedule_per="step",
        strategy=ClippingStrategy(AccumulationStrategy(2), max_norm=1.0),
        average="ema",
        average_decay=0.98,
        callbacks=[csv, TensorBoardLogger(folder / "events", every_steps=7)],
        checkpoints=CheckpointConfig(folder=str(folder / "checkpoints"), every_steps=20),
        resume=True,
        metrics=["mae", "r2"],
    )
    config = WorkflowConfig(
        num_epochs=epochs, max_no_improve=1000, random_seed=11, batch_config=BatchConfig(batch_size=16)
    )
    workflow.initialize(config)
    print("ready", flush=True)
    result = workflow.train(provider, Models(device))
    predictions = workflow.validate(provider, Models(device)).extensions["predictions"]
    rows = [line.rsplit(",", 1)[0] for line in csv.path.read_text().splitlines()]
    outcome = {
        "status": result.status,
        "weights": digest(result.model.module.state_dict()),
        "predictions": digest({"validation": predictions}),
        "history": rows,
        "best": [result.best_loss, result.best_epoch, result.total_epochs],
        "metrics": dict(result.metrics),
        "events": events(folder / "events"),
    }
    temporary = folder / "done.new"
    temporary.write_text(json.dumps(outcome))
    temporary.replace(folder / "done.json")


def events(folder):
    """The event file without its wall-clock times."""
    from trainsmith.loggers._events import whole_records

    (path,) = folder.iterdir()
    found = [message[9:].hex() for _, message in whole_records(path.read_bytes())]
    return [len(found), hashlib.sha256("".join(found).encode()).hexdigest()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
