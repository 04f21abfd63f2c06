import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import DataError
from trainsmith.models import mlp
from trainsmith.training import Arrays, BatchConfig, OptimizerConfig, ScheduleConfig, WorkflowConfig, fit
from trainsmith.training._arrays import evaluate


def line(rows, seed=0, noise=0.0, dtype="float32"):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + noise * generator.normal(size=(rows, 1))
    return Arrays(x=x.astype(dtype), y=y.astype(dtype))


def blobs(rows, seed=0):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, rows)
    return Arrays(x=(generator.normal(size=(rows, 2)) + 4 * y[:, None]).astype("float32"), y=y)


def weights(model):
    return {name: np.asarray(value).copy() for name, value in model.state_dict().items()}


def trained(train, validation=None, outputs=1, dropout=0.0, **options):
    ts.manual_seed(0)
    model = mlp(train.x.shape[1], outputs, hidden=[16], dropout=dropout, dtype=getattr(ts, str(train.x.dtype)))
    config = options.pop("config", {})
    options.setdefault("optimizer", OptimizerConfig(weight_decay=0.0))
    result = fit(model, train, validation, config=WorkflowConfig(**{"learning_rate": 0.01, **config}), **options)
    return model, result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_line_is_learned(dtype):
    model, result = trained(line(200, dtype=dtype), line(50, 1, dtype=dtype), config={"num_epochs": 150})
    assert result.best_loss < 0.02
    assert result.history[0].training_loss > 10 * result.history[-1].training_loss
    assert evaluate(model, line(50, 2, dtype=dtype))[1]["r2"] > 0.98


def test_classes_are_learned():
    model, result = trained(blobs(150), blobs(50, 1), outputs=3, dropout=0.1, config={"num_epochs": 60})
    assert evaluate(model, blobs(100, 2))[1]["accuracy"] > 0.93
    assert result.history[-1].validation_metrics["accuracy"] > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    first, one = trained(blobs(60), blobs(20, 1), outputs=3, dropout=0.2, config={"num_epochs": 3})
    again, two = trained(blobs(60), blobs(20, 1), outputs=3, dropout=0.2, config={"num_epochs": 3})
    other, _ = trained(blobs(60), blobs(20, 1), outputs=3, dropout=0.2, config={"num_epochs": 3, "random_seed": 1})
    assert one.history == two.history
    for name, value in weights(first).items():
        np.testing.assert_array_equal(value, weights(again)[name])
    assert any(not np.array_equal(value, weights(other)[name]) for name, value in weights(first).items())


def test_it_stops_early_and_restores_the_best_weights():
    train, validation = line(30, noise=2.0), line(30, 1, noise=2.0)
    config = {"num_epochs": 500, "max_no_improve": 5, "early_stop_tolerance": 0.0, "learning_rate": 0.03}
    model, result = trained(train, validation, config=config)
    losses = [record.validation_loss for record in result.history]
    assert result.status == "early_stopped"
    assert result.total_epochs == len(losses) == result.best_epoch + 5 < 500
    assert result.best_loss == min(losses) == losses[result.best_epoch - 1]
    assert evaluate(model, validation)[0] == pytest.approx(result.best_loss, rel=1e-6)
    assert result.final_loss == losses[-1] > result.best_loss


def test_a_gain_within_the_tolerance_does_not_count():
    config = {"num_epochs": 100, "max_no_improve": 3, "early_stop_tolerance": 1e6}
    _, result = trained(line(30), line(10, 1), config=config)
    assert result.total_epochs == 4
    assert result.best_loss == min(record.validation_loss for record in result.history)


def test_max_no_improve_0_never_stops():
    config = {"num_epochs": 30, "max_no_improve": 0, "early_stop_tolerance": 1e6}
    assert trained(line(20), line(10, 1), config=config)[1].total_epochs == 30


def test_without_validation_all_epochs_run_and_the_last_weights_stay():
    model, result = trained(line(40), config={"num_epochs": 4, "max_no_improve": 1})
    assert (result.total_epochs, result.best_epoch, result.status) == (4, 4, "completed")
    assert result.history[-1].validation_loss is None
    assert result.best_loss == result.final_loss == result.history[-1].training_loss
    assert evaluate(model, line(40))[0] < result.history[0].training_loss


def test_the_training_loss_is_the_mean_over_rows():
    train = line(10)
    config = {"num_epochs": 1, "learning_rate": 1e-30, "batch_config": BatchConfig(batch_size=4)}
    model, result = trained(train, config=config)
    assert result.history[0].training_loss == pytest.approx(evaluate(model, train)[0], rel=1e-5)


def test_batches_and_hooks():
    seen, epochs = [], []
    config = {"num_epochs": 2, "batch_config": BatchConfig(batch_size=4)}
    trained(line(10), config=config, on_step=lambda *counts: seen.append(counts), on_epoch=epochs.append)
    assert seen == [(1, 3), (2, 3), (3, 3)] * 2
    assert [record.epoch for record in epochs] == [1, 2]
    seen.clear()
    config["batch_config"] = BatchConfig(batch_size=4, drop_last=True)
    trained(line(10), config=config, on_step=lambda *counts: seen.append(counts))
    assert seen == [(1, 2), (2, 2)] * 2


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ({"name": "constant"}, [1, 1, 1, 1]),
        ({"name": "constant", "warmup_epochs": 3}, [0.25, 0.5, 0.75, 1]),
        ({"name": "linear"}, [1, 0.75, 0.5, 0.25]),
        ({"name": "linear", "warmup_epochs": 1}, [0.5, 1, 2 / 3, 1 / 3]),
        ({"name": "cosine"}, [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5]),
        ({"name": "cosine", "warmup_epochs": 2}, [1 / 3, 2 / 3, 1, 0.5]),
        ({"name": "cosine", "warmup_epochs": 9}, [0.2, 0.4, 0.6, 0.8]),
        ({"name": "step", "step_size": 2, "gamma": 0.5}, [1, 1, 0.5, 0.5]),
    ],
)
def test_the_rate_follows_its_schedule(schedule, factors):
    _, result = trained(line(8), config={"num_epochs": 4}, schedule=ScheduleConfig(**schedule))
    assert [record.learning_rate / 0.01 for record in result.history] == pytest.approx(factors)


def test_sgd_with_momentum_learns():
    optimizer = OptimizerConfig(name="sgd", weight_decay=0.0, momentum=0.9)
    assert trained(line(200), line(50, 1), config={"num_epochs": 60}, optimizer=optimizer)[1].best_loss < 0.1


def test_a_weight_counts_like_repeated_rows():
    data = line(6, noise=1.0)
    weighted = Arrays(x=data.x, y=data.y, weight=np.array([2, 1, 1, 1, 1, 0], "float32"))
    rows = [0, 0, 1, 2, 3, 4]
    config = {"num_epochs": 5, "batch_config": BatchConfig(batch_size=6, shuffle=False)}
    one, first = trained(weighted, config=config)
    two, second = trained(Arrays(x=data.x[rows], y=data.y[rows]), config=config)
    assert first.final_loss == pytest.approx(second.final_loss, rel=1e-4)
    for name, value in weights(one).items():
        np.testing.assert_allclose(value, weights(two)[name], rtol=1e-3, atol=1e-5)


def test_weights_work_for_classes():
    data = blobs(60)
    weighted = Arrays(x=data.x, y=data.y, weight=np.ones(60, "float32"))
    assert trained(weighted, outputs=3, config={"num_epochs": 3})[1].history[-1].training_loss == pytest.approx(
        trained(data, outputs=3, config={"num_epochs": 3})[1].history[-1].training_loss, rel=1e-4
    )


def test_a_stop_ends_the_run_after_its_step_with_the_best_weights():
    steps = []
    config = {"num_epochs": 9, "batch_config": BatchConfig(batch_size=5)}
    model, result = trained(
        line(20), line(10, 1), config=config, on_step=lambda *_: steps.append(0), stop=lambda: len(steps) >= 10
    )
    assert (len(steps), result.status, result.total_epochs) == (10, "interrupted", 2)
    assert evaluate(model, line(10, 1))[0] == pytest.approx(result.best_loss, rel=1e-6)


def test_a_stop_in_the_first_epoch_keeps_what_was_learned():
    _, result = trained(line(20), line(10, 1), stop=lambda: True)
    assert (result.status, result.total_epochs, result.best_epoch, result.final_loss) == ("interrupted", 0, 0, None)


def test_metrics_are_in_the_targets_unit():
    _, result = trained(line(20), line(10, 1), config={"num_epochs": 1}, target_scale=(100.0, 10.0))
    record = result.history[0]
    assert record.validation_metrics["rmse"] == pytest.approx(10 * np.sqrt(record.validation_loss), rel=1e-5)


def test_a_loss_that_is_not_finite_is_an_error():
    train = line(8)
    huge = Arrays(x=train.x * np.float32(1e30), y=train.y * np.float32(1e30))
    with pytest.raises(DataError, match=r"loss must stay finite.*lower training\.learning_rate"):
        trained(huge, config={"num_epochs": 3})


def test_dropout_is_on_in_every_epoch_and_off_in_every_validation():
    modes, validations = [], []
    ts.manual_seed(0)
    model = mlp(3, 1, hidden=[8], dropout=0.5)
    data, validation = line(40), line(20, 1)

    def on_epoch(record):
        modes.append(model.training)
        validations.append(record.validation_loss)

    fit(model, data, validation, config=WorkflowConfig(num_epochs=3), on_epoch=on_epoch)
    assert modes == [True] * 3
    assert evaluate(model, validation)[0] == pytest.approx(min(validations), rel=1e-6)
