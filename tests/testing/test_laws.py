"""Each law kit passes a good implementation and finds planted faults."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, testing
from trainsmith.testing import (
    check_backend,
    check_fold,
    check_gradient_strategy,
    check_model,
    check_model_provider,
    check_predictor,
    check_trainer,
    check_training_workflow,
    check_windowed_backend,
    check_windowed_predictor,
)
from trainsmith.training import (
    ArrayDataProvider,
    Batch,
    BatchConfig,
    ModelInfo,
    TrainingResult,
    TrainResult,
    ValidationResult,
    _protocols_backend,
    _protocols_data,
    _protocols_model,
    _protocols_validation,
    _protocols_workflow,
)
from trainsmith.training._context import raise_if_done
from trainsmith.training._cross_validator import DataFold

GENERATOR = np.random.default_rng(0)
X, W = GENERATOR.normal(size=(8, 3)), np.array([[1.0], [-2.0], [0.5]])
Y = X @ W
RATE = 0.1


class Linear:
    """y = x w, differentiated by hand."""

    def __init__(self):
        self.weight = nn.Parameter(ts.asarray(np.zeros((3, 1))))

    def parameters(self):
        return [self.weight]

    def forward(self, x):
        return ts.asarray(np.array(x) @ np.array(self.weight))

    def backward(self, grad, x):
        add = np.array(x).T @ np.array(grad)
        before = self.weight.grad
        self.weight.grad = ts.asarray(add if before is None else np.array(before) + add)
        return [ts.asarray(np.array(grad) @ np.array(self.weight).T)]


class Strategy:
    def compute_gradients(self, graph, loss, batch, *, ctx=None):
        raise_if_done(ctx, "compute_gradients")
        x = batch.inputs["x"]
        error = np.array(graph.forward(x)) - np.array(batch.targets)
        graph.backward(ts.asarray(2 * error / error.size), x)
        return float((error**2).mean())


class Trainer:
    def train_step(self, graph, optimizer, inputs, targets, *, ctx=None):
        for one in graph.parameters():
            one.grad = None
        loss = Strategy().compute_gradients(graph, None, Batch(inputs=inputs, targets=targets), ctx=ctx)
        for one in graph.parameters():
            one.copy_(ts.asarray(np.array(one) - RATE * np.array(one.grad)))
        return loss


class Provider:
    def create_model(self, config, *, ctx=None):
        raise_if_done(ctx, "create_model")
        return Linear()

    def save_model(self, model, path, *, ctx=None):
        with open(path, "wb") as file:
            np.save(file, np.array(model.weight))

    def load_model(self, path, *, ctx=None):
        model = Linear()
        model.weight.copy_(ts.asarray(np.load(path)))
        return model

    def get_model_info(self):
        return ModelInfo(name="linear", parameter_count=3)


class Workflow:
    def initialize(self, config, *, ctx=None):
        self.config, self.metrics = config, {}

    def train(self, dataset, model_provider, *, ctx=None):
        self.model = model_provider.create_model(self.config.model_config)
        losses = []
        iterator = dataset.get_training_data(BatchConfig(batch_size=8))
        for _ in range(self.config.num_epochs):
            iterator.reset()
            losses += [Trainer().train_step(self.model, None, one.inputs, one.targets) for one in iterator]
        self.metrics["loss"] = losses[-1]
        return TrainingResult(
            final_loss=losses[-1], best_loss=min(losses), total_epochs=len(losses), training_time_seconds=1e-3
        )

    def validate(self, dataset, model_provider, *, ctx=None):
        raise_if_done(ctx, "validate")
        batches = list(dataset.get_validation_data(BatchConfig()))
        losses = [
            ((np.array(self.model.forward(one.inputs["x"])) - np.array(one.targets)) ** 2).mean() for one in batches
        ]
        return ValidationResult(loss=float(np.mean(losses)), sample_count=sum(one.rows for one in batches))

    def get_metrics(self):
        return dict(self.metrics)

    def shutdown(self, *, ctx=None):
        self.model = None


class Mean:
    def train(self, features, labels, config):
        loss = float(np.var(labels))
        return TrainResult(final_loss=loss, best_loss=loss, best_epoch=0, total_epochs=1)

    def predict(self, model_path, features):
        return features.sum(axis=1)


class WindowedMean:
    def train_windowed(self, windows, labels, config):
        return Mean().train(windows, labels, config)

    def predict_windowed(self, model_path, windows):
        return windows.sum(axis=(1, 2))


def tensors():
    return {"inputs": {"x": ts.asarray(X)}, "targets": ts.asarray(Y)}


DATA = ArrayDataProvider(X, Y, validation=(X, Y))
FOLD = DataFold(0, DATA, np.arange(4), np.arange(4, 8), "k_fold")
KITS = {
    "trainer": (Trainer, lambda one, _: check_trainer(one, graph=Linear(), optimizer=None, **tensors())),
    "strategy": (
        Strategy,
        lambda one, _: check_gradient_strategy(one, graph=Linear(), loss=None, batch=Batch(**tensors())),
    ),
    "model": (Linear, lambda one, _: check_model(one, ts.asarray(X))),
    "model_provider": (Provider, lambda one, folder: check_model_provider(one, folder=folder)),
    "workflow": (
        Workflow,
        lambda one, _: check_training_workflow(one, dataset=DATA, model_provider=Provider()),
    ),
    "backend": (Mean, lambda one, _: check_backend(one, X, Y[:, 0])),
    "predictor": (Mean, lambda one, _: check_predictor(one, "m", X)),
    "windowed_backend": (WindowedMean, lambda one, _: check_windowed_backend(one, X[:, None], Y[:, 0])),
    "windowed_predictor": (WindowedMean, lambda one, _: check_windowed_predictor(one, "m", X[:, None])),
    "fold": (lambda: FOLD, lambda one, _: check_fold(one)),
}


@pytest.mark.parametrize("kit", KITS)
def test_a_good_implementation_passes(kit, tmp_path):
    make, check = KITS[kit]
    check(make(), tmp_path)


@pytest.mark.parametrize("kit", KITS)
def test_what_lacks_a_method_is_found(kit, tmp_path):
    with pytest.raises(AssertionError, match=r"broken law: a .* has "):
        KITS[kit][1](object(), tmp_path)


def overwriting(self, grad, x):
    self.weight.grad = ts.asarray(np.array(x).T @ np.array(grad))
    return [ts.asarray(np.array(grad) @ np.array(self.weight).T)]


def in_place(self, features, labels, config):
    features += 1
    return TrainResult(final_loss=0.0, best_loss=0.0, total_epochs=1)


def result(**fields):
    return lambda self, *args, **kwargs: TrainResult(
        **{"final_loss": 1.0, "best_loss": 0.5, "total_epochs": 1, **fields}
    )


FAULTS = [
    ("trainer", "train_step", lambda self, *args, ctx=None: 1.0, "cancelled"),
    ("strategy", "compute_gradients", lambda self, graph, loss, batch, *, ctx=None: float("nan"), "finite loss"),
    ("strategy", "compute_gradients", lambda self, graph, loss, batch, *, ctx=None: 1.0, "requires a gradient"),
    ("model", "backward", overwriting, "add up"),
    ("model", "backward", lambda self, grad, x: [], "one gradient per input"),
    (
        "model",
        "forward",
        lambda self, x: ts.asarray(np.array(x) @ np.array(self.weight) + np.array(x)[:, :1]),
        "derivative",
    ),
    ("model", "parameters", lambda self: [nn.Parameter(ts.asarray(np.zeros(1)))], "same parameters"),
    ("model_provider", "get_model_info", lambda self: {}, "ModelInfo"),
    ("model_provider", "load_model", lambda self, path, *, ctx=None: fresh_ones(), "saved parameters"),
    ("model_provider", "create_model", lambda self, config, *, ctx=None: SHARED, "new model"),
    ("workflow", "get_metrics", lambda self: self.metrics, "changes nothing"),
    ("workflow", "train", lambda self, *args, ctx=None: TrainingResult(), "epochs"),
    ("workflow", "validate", lambda self, *args, ctx=None: ValidationResult(loss=1.0), "sample_count"),
    ("backend", "train", in_place, "leaves its arrays"),
    ("backend", "train", result(total_epochs=99), "config.epochs"),
    ("backend", "train", result(best_loss=2.0), "best is at most"),
    ("backend", "train", result(final_loss=float("nan")), "finite"),
    ("windowed_backend", "train_windowed", result(best_epoch=7), "best epoch"),
    ("predictor", "predict", lambda self, path, rows: rows, "one number per row"),
    ("predictor", "predict", lambda self, path, rows: rows.sum(axis=1) - rows.mean(), "other rows"),
    ("predictor", "predict", lambda self, path, rows: np.full(len(rows), np.nan), "finite"),
    ("windowed_predictor", "predict_windowed", lambda self, path, rows: GENERATOR.normal(size=len(rows)), "equal rows"),
]
SHARED = Linear()


def fresh_ones():
    model = Linear()
    model.weight.copy_(ts.asarray(np.ones((3, 1))))
    return model


@pytest.mark.parametrize(("kit", "method", "fault", "law"), FAULTS, ids=[f"{one[0]}-{one[3]}" for one in FAULTS])
def test_a_planted_fault_is_found(kit, method, fault, law, tmp_path):
    make, check = KITS[kit]
    broken = type("Broken", (make,), {method: fault})()
    with pytest.raises(AssertionError, match=f"broken law: .*{law}"):
        check(broken, tmp_path)


@pytest.mark.parametrize(
    ("method", "fault", "law"),
    [
        ("fold_index", lambda self: -1, "counts from 0"),
        ("metadata", lambda self: None, "mapping"),
        ("metadata", lambda self: {"train_rows": [1, 2], "valid_rows": [2]}, "both parts"),
        ("valid_data", lambda self: DATA.take([1, 2]), "validation data"),
        ("train_data", lambda self: None, "DataProvider"),
    ],
)
def test_a_broken_fold_is_found(method, fault, law):
    kind = type("Broken", (DataFold,), {method: fault})
    with pytest.raises(AssertionError, match=f"broken law: .*{law}"):
        check_fold(kind(0, DATA, np.arange(4), np.arange(4, 8), "k_fold"))


def test_there_is_a_kit_for_every_protocol():
    modules = (_protocols_backend, _protocols_data, _protocols_model, _protocols_validation, _protocols_workflow)
    found = {
        name
        for module in modules
        for name, one in vars(module).items()
        if getattr(one, "_is_protocol", False) and one.__module__ == module.__name__
    } - {"Executor", "FutureLike", "ResumableIterator"}  # the last is part of the kit of DataIterator
    kits = {name.removeprefix("check_").replace("_", "") for name in testing.__all__}
    assert {name.lower() for name in found} == kits
