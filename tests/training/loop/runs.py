"""A small run on the loop that uses everything: dropout, shuffling, a schedule, an average, early stopping."""

import numpy as np

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.training import (
    ArrayDataProvider,
    BatchConfig,
    DefaultTrainer,
    EarlyStopConfig,
    EarlyStopping,
    Graph,
)
from trainsmith.training.checkpoints import CheckpointConfig, CheckpointStore
from trainsmith.training.loop import (
    Averaging,
    BatchValidation,
    Callback,
    LoopConfig,
    Scheduling,
    TrainerLearner,
    TrainingLoop,
)


class StepTrainer:
    """The smallest trainer with a captured step."""

    def __init__(self):
        self.steps = {}

    def train_step(self, graph, optimizer, inputs, targets, *, ctx=None):
        if not self.steps:

            @ts.compile
            def step(x, y):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(graph(x), y)
                loss.backward()
                optimizer.step()
                return loss

            self.steps["step"] = step
        return self.steps["step"](inputs["x"], targets)


def table(rows=50, validation=20, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows + validation, 3)).astype("float32")
    y = (np.sin(x[:, :1]) + 0.5 * x[:, 1:2]).astype("float32")
    return ArrayDataProvider(x[:rows], y[:rows], validation=(x[rows:], y[rows:]), seed=seed)


def make_loop(
    folder=None,
    *,
    seed=0,
    provider=None,
    dropout=0.2,
    average="ema",
    per="step",
    patience=0,
    callbacks=(),
    validate=True,
    every_steps=0,
    keep_last=2,
    top_k=1,
    every_epochs=1,
    batch_size=8,
    strategy=None,
    **options,
):
    ts.manual_seed(seed)
    provider = provider or table()
    model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 1))
    optimizer = optim.AdamW(model.parameters(), lr=0.02)
    if strategy is None:
        learner = TrainerLearner(StepTrainer(), model, optimizer, loss=nn.MSELoss())
    else:
        graph = Graph(model)
        learner = TrainerLearner(DefaultTrainer(graph, nn.MSELoss(), optimizer, strategy), graph, optimizer)
    batches = BatchConfig(batch_size=batch_size)
    names = ("max_epochs", "max_steps", "max_seconds", "validate_every", "sanity_batches", "overfit_batches")
    names += ("fast_dev_run", "on_nan", "restore_best", "read_every")
    config = {name: options.pop(name) for name in names if name in options}
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    averages = {"ema": lambda: optim.EMA(model.parameters(), 0.9), "swa": lambda: optim.SWA(model.parameters())}
    store = None
    if folder is not None:
        store = CheckpointStore(
            CheckpointConfig(
                folder=str(folder), every_steps=every_steps, keep_last=keep_last, top_k=top_k, every_epochs=every_epochs
            )
        )
    return TrainingLoop(
        learner,
        provider.get_training_data(batches),
        config=LoopConfig(**{"max_epochs": 4, **config}),
        validate=BatchValidation(learner, provider.get_validation_data(batches), metrics=["mae"]) if validate else None,
        schedule=Scheduling(scheduler=scheduler, per=per),
        averaging=Averaging(average=averages[average](), per="epoch" if average == "swa" else "step")
        if average
        else None,
        early_stopping=EarlyStopping(EarlyStopConfig(patience=patience, alpha=1.0)) if patience else None,
        callbacks=callbacks,
        checkpoints=store,
        **options,
    )


def weights(loop):
    return {name: np.asarray(value).tobytes() for name, value in loop.learner.weights().items()}


class StopAt(Callback):
    """Asks for an interruption after a number of steps."""

    def __init__(self, step):
        self.step = step
        self.reached = False

    def on_step_end(self, loop, loss):
        self.reached = loop.progress.step >= self.step
