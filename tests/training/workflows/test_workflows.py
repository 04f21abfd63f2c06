import signal

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.callbacks import GradientNorms
from trainsmith.errors import CancelledError, ConfigError, DataError, IoError
from trainsmith.testing import check_training_workflow
from trainsmith.training import (
    ArrayDataProvider,
    BatchConfig,
    Callback,
    CheckpointConfig,
    CVConfig,
    DefaultCrossValidator,
    DefaultMetricComputer,
    DefaultTrainer,
    Float32Registry,
    Float64Registry,
    Graph,
    LoopConfig,
    OptimizerConfig,
    RunContext,
    ScheduleConfig,
    StandardWorkflow,
    TrainerWorkflowAdapter,
    TrainingResult,
    ValidationResult,
    WorkflowConfig,
)


class Models:
    """Makes a small network and keeps count."""

    def __init__(self, outputs=1, dropout=0.0, dtype=None):
        self.outputs, self.dropout, self.dtype, self.made = outputs, dropout, dtype, []

    def create_model(self, config, *, ctx=None):
        layers = [nn.Linear(2, 16, dtype=self.dtype), nn.Tanh(), nn.Dropout(self.dropout)]
        self.made.append(nn.Sequential(*layers, nn.Linear(16, self.outputs, dtype=self.dtype)))
        return self.made[-1]


def surface(rows=120, validation=60, seed=0, dtype="float32", shuffled=False):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows + validation, 2)).astype(dtype)
    y = (np.sin(2 * x[:, :1]) + x[:, 1:]).astype(dtype)
    if shuffled:
        y[:rows] = y[generator.permutation(rows)]
    return ArrayDataProvider(x[:rows], y[:rows], validation=(x[rows:], y[rows:]), seed=seed)


def classes(rows=150):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, rows)
    x = (generator.normal(size=(rows, 2)) + 3 * np.eye(3)[y][:, :2]).astype("float32")
    return ArrayDataProvider(x[:100], y[:100], validation=(x[100:], y[100:]), metadata={"task": "classification"})


def config(**options):
    given = {"num_epochs": 30, "learning_rate": 0.02, "batch_config": BatchConfig(batch_size=16), "max_no_improve": 0}
    return WorkflowConfig(**{**given, **options})


def standard(**options):
    return StandardWorkflow(**options)


def adapter(**options):
    return TrainerWorkflowAdapter(
        DefaultTrainer(None, nn.MSELoss()), lambda parameters: optim.AdamW(parameters), **options
    )


BOTH = pytest.mark.parametrize("make", [standard, adapter])


def trained(workflow, provider=None, models=None, **options):
    workflow.initialize(config(**options))
    return workflow.train(provider or surface(), models or Models())


@BOTH
def test_workflows_obey_the_laws(make):
    check_training_workflow(make(), dataset=surface(), model_provider=Models(dropout=0.2))


@BOTH
def test_a_function_is_learned_and_labels_by_chance_are_not(make):
    assert trained(make(metrics=["r2"])).metrics["validation_r2"] > 0.9
    assert trained(make(metrics=["r2"]), surface(shuffled=True)).metrics["validation_r2"] < 0.2


@BOTH
def test_the_result_has_the_trained_model_and_everything_about_the_run(make):
    workflow, models, data = make(metrics=["mae"]), Models(), surface()
    result = trained(workflow, data, models, num_epochs=4)
    assert isinstance(result, TrainingResult)
    assert result.model.module is models.made[-1] is workflow.model.module
    assert result.training_time_seconds > 0
    assert sorted(result.metrics) == [f"epoch_{i}_loss" for i in range(4)] + ["validation_loss", "validation_mae"]
    assert result.metrics["epoch_0_loss"] == result.history[0].training_loss
    assert TrainingResult.from_json(result.to_json()) == result
    again = workflow.validate(data, models)
    assert again.loss == pytest.approx(result.best_loss, rel=1e-6)
    assert again.sample_count == 60
    assert again.extensions["predictions"].shape == (60, 1)


@BOTH
def test_the_seed_decides_everything(make):
    def run(seed):
        result = trained(make(), models=Models(dropout=0.3), random_seed=seed, num_epochs=3)
        return result.history, [np.asarray(one).tobytes() for one in result.model.parameters()]

    assert run(1) == run(1)
    assert run(1) != run(2)


@BOTH
def test_the_rate_is_the_configurations(make):
    assert [one.learning_rate for one in trained(make(), num_epochs=2, learning_rate=0.5e-3).history] == [0.5e-3] * 2


@BOTH
def test_early_stop_and_best_weights(make):
    # Few rows and much capacity: the validation loss rises again.
    result = trained(make(), surface(rows=12), num_epochs=2000, max_no_improve=5, learning_rate=0.05)
    losses = [one.validation_loss for one in result.history]
    assert result.status == "early_stopped"
    assert result.best_loss == min(losses) < losses[-1]
    assert result.total_epochs < 2000


@BOTH
def test_keys_of_an_earlier_training_are_gone(make):
    workflow = make()
    trained(workflow, num_epochs=3)
    assert "epoch_2_loss" not in trained(workflow, num_epochs=2).metrics
    assert "epoch_2_loss" not in workflow.get_metrics()
    workflow.shutdown()
    assert workflow.get_metrics() == {}
    assert workflow.model is None


@BOTH
def test_a_cancelled_context_stops(make):
    context = RunContext()
    context.cancel()
    workflow = make()
    with pytest.raises(CancelledError):
        workflow.initialize(config(), ctx=context)
    workflow.initialize(config())
    with pytest.raises(CancelledError):
        workflow.train(surface(), Models(), ctx=context)
    result = workflow.train(surface(rows=2000), Models(), ctx=RunContext(timeout=0.5))
    assert result.status in ("interrupted", "completed")


@BOTH
def test_the_order_of_calls_is_checked(make):
    with pytest.raises(ConfigError, match="initialize"):
        make().train(surface(), Models())
    workflow = make()
    workflow.initialize(config())
    with pytest.raises(ConfigError, match="call train first"):
        workflow.validate(surface(), Models())


@BOTH
def test_data_without_rows(make):
    with pytest.raises(DataError, match="an epoch needs a batch"):
        trained(make(), surface(rows=0))
    workflow = make()
    data = surface(validation=0)
    result = trained(workflow, data, num_epochs=2)
    assert result.history[-1].validation_loss is None
    empty = workflow.validate(data, Models())
    assert (empty.loss, empty.sample_count, empty.extensions["error"]) == (None, 0, "no validation rows")


@BOTH
def test_a_workflow_resumes_exactly(tmp_path, make):
    def run(epochs, folder, **options):
        checkpoints = CheckpointConfig(folder=str(tmp_path / folder))
        result = trained(make(checkpoints=checkpoints, **options), models=Models(dropout=0.3), num_epochs=epochs)
        return result.history, [np.asarray(one).tobytes() for one in result.model.parameters()]

    whole = run(6, "whole")
    run(3, "parts")
    assert run(6, "parts", resume=True) == whole


def test_weights_count_in_the_loss_and_in_its_mean_over_batches():
    data = surface(rows=60)
    weights = np.where(np.arange(60) % 3 == 0, 3.0, 0.0).astype("float32")
    kept = np.flatnonzero(weights)
    weighted = ArrayDataProvider(data.inputs, data.targets, weights=weights)
    chosen = ArrayDataProvider({name: one[kept] for name, one in data.inputs.items()}, data.targets[kept])
    batches = {"num_epochs": 3, "batch_config": BatchConfig(batch_size=60, shuffle=False)}
    one = trained(standard(), weighted, **batches)
    two = trained(standard(), chosen, **{**batches, "batch_config": BatchConfig(batch_size=20, shuffle=False)})
    for left, right in zip(one.history, two.history):
        assert left.training_loss == pytest.approx(right.training_loss, rel=1e-4)
    # Uneven batches: the mean is over the weights, not over the batches.
    parts = trained(standard(), weighted, learning_rate=1e-30, num_epochs=1, batch_config=BatchConfig(batch_size=7))
    assert parts.history[0].training_loss == pytest.approx(one.history[0].training_loss, rel=1e-5)


@BOTH
def test_a_workflow_does_not_go_on_with_other_data(tmp_path, make):
    checkpoints = CheckpointConfig(folder=str(tmp_path))
    trained(make(checkpoints=checkpoints), num_epochs=1)
    with pytest.raises(IoError, match="training data"):
        trained(make(checkpoints=checkpoints, resume=True), surface(seed=5), num_epochs=2)


def test_classes_get_cross_entropy():
    result = trained(standard(metrics=["accuracy"]), classes(), Models(outputs=3))
    assert result.metrics["validation_accuracy"] > 0.9


def test_float64_stays_float64():
    result = trained(standard(), surface(dtype="float64"), Models(dtype=ts.float64), num_epochs=2)
    assert {one.dtype for one in result.model.parameters()} == {ts.float64}


def test_an_optimizer_of_other_parameters_is_a_pattern():
    pattern = optim.SGD(nn.Linear(1, 1).parameters(), lr=9.0, momentum=0.9, nesterov=True)
    workflow = TrainerWorkflowAdapter(DefaultTrainer(None, nn.MSELoss()), pattern)
    result = trained(workflow, learning_rate=0.05)
    assert result.history[-1].training_loss < 0.3 * result.history[0].training_loss
    assert pattern.param_groups[0]["lr"] == 9.0


def test_an_optimizer_of_the_models_parameters_is_used():
    graph = Graph(Models().create_model(None))
    optimizer = optim.SGD(graph.parameters(), lr=9.0)

    class Fixed:
        def create_model(self, config, *, ctx=None):
            return graph

    trained(TrainerWorkflowAdapter(DefaultTrainer(graph, nn.MSELoss()), optimizer), models=Fixed(), num_epochs=1)
    assert optimizer.param_groups[0]["lr"] == 0.02


@pytest.mark.parametrize(
    "options",
    [
        {"average": "ema", "average_decay": 0.9},
        {"average": "swa", "average_start": 10},
        {"optimizer": OptimizerConfig(name="sgd", momentum=0.9)},
        {"optimizer": lambda parameters: optim.RMSprop(parameters)},
        {"schedule": ScheduleConfig(name="cosine", warmup_epochs=2)},
        {
            "schedule": lambda optimizer: optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=50),
            "schedule_per": "step",
        },
        {"loss": nn.L1Loss()},
    ],
)
def test_options_of_the_standard_workflow(options):
    history = trained(standard(**options)).history
    assert history[-1].training_loss < 0.3 * history[0].training_loss


def test_an_average_inside_the_step_is_the_average_beside_it():
    one = trained(standard(average="ema", average_decay=0.9), num_epochs=3)
    ts.manual_seed(0)
    graph = Graph(Models().create_model(None))
    optimizer = optim.AdamW(graph.parameters(), lr=0.02)
    ema = optim.EMA(graph.parameters(), 0.9)
    trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer)
    data = surface().get_training_data(BatchConfig(batch_size=16))
    for _ in range(one.best_epoch):
        data.reset()
        while data.next():
            batch = data.batch()
            trainer.train_step(graph, optimizer, batch.inputs, batch.targets)
            ema.update()
    for got, want in zip(one.model.parameters(), ema.averages(), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-5, atol=1e-7)


def test_gradient_norms_are_kept_per_epoch():
    norms = GradientNorms()
    trained(standard(gradient_norm=True, callbacks=[norms]), num_epochs=3)
    assert [one["epoch"] for one in norms.history] == [1, 2, 3]
    assert all(0 < one["mean"] <= one["largest"] for one in norms.history)
    with pytest.raises(ConfigError, match="gradient_norm=True"):
        trained(standard(callbacks=[GradientNorms()]), num_epochs=1)


def test_metric_configs_and_a_computer_add_metrics():
    computer = DefaultMetricComputer()
    computer.register_metric("rows", lambda predictions, targets, metadata: float(len(np.asarray(predictions))))
    result = trained(standard(computer=computer), num_epochs=1, metric_configs={"rmse": {}})
    assert sorted(result.history[0].validation_metrics) == ["rmse", "rows"]
    assert result.metrics["validation_rows"] == 60


def test_limits_of_the_loop_reach_it():
    assert trained(standard(loop=LoopConfig(max_steps=10, validate_every=2)), num_epochs=30).total_epochs == 2


@pytest.mark.parametrize("registry", [Float32Registry, Float64Registry])
def test_the_registry_makes_the_standard_workflow(registry):
    assert "standard" in registry.list_workflows()
    workflow = registry.get_workflow(
        "standard", {"metrics": ["r2"], "average": "ema", "optimizer": {"name": "sgd"}, "loop": {"max_steps": 3}}
    )
    assert isinstance(workflow, StandardWorkflow)
    assert trained(workflow).total_epochs == 1
    with pytest.raises(ConfigError, match=r"metric is no known key.*metrics"):
        registry.get_workflow("standard", {"metric": ["r2"]})


def test_cross_validation_runs_on_the_standard_workflow():
    validator = DefaultCrossValidator(standard, workflow_config=config(num_epochs=40))
    result = validator.validate_model(surface(), Models(), CVConfig(strategy="k_fold", num_folds=3))
    assert [one.sample_count for one in result.fold_results] == [40, 40, 40]
    assert result.mean_loss < 0.5
    assert all(row is not None for row in result.extensions["out_of_fold"])


class Interrupts(Callback):
    """Presses Ctrl-C once."""

    def on_step_end(self, loop, loss):
        if loop.progress.step == 2:
            signal.raise_signal(signal.SIGINT)


def test_an_interrupt_in_one_fold_ends_all_of_them():
    models = Models()
    validator = DefaultCrossValidator(lambda: standard(callbacks=[Interrupts()]), workflow_config=config())
    with pytest.raises(KeyboardInterrupt):
        validator.validate_model(surface(), models, CVConfig(strategy="k_fold", num_folds=3))
    assert len(models.made) == 1


class Skips(StandardWorkflow):
    """A planted fault: it counts batches, not rows, and measures nothing."""

    def validate(self, dataset, model_provider, *, ctx=None):
        return ValidationResult(loss=0.0)


class Forgets(StandardWorkflow):
    """A planted fault: its metrics are live."""

    def get_metrics(self):
        return self._metrics


class Endless(StandardWorkflow):
    """A planted fault: validation trains."""

    def validate(self, dataset, model_provider, *, ctx=None):
        found = super().validate(dataset, model_provider, ctx=ctx)
        for parameter in self.model.parameters():
            parameter.copy_(parameter.detach() * 0.9)
        return found


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (Skips, "sample_count counts the validation rows"),
        (Forgets, r"changing what get_metrics\(\) gave changes nothing"),
        (Endless, "validation changes nothing"),
    ],
)
def test_planted_faults_are_found(fault, law):
    with pytest.raises(AssertionError, match=law):
        check_training_workflow(fault(), dataset=surface(), model_provider=Models())
