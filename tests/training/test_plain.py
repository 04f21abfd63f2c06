import json
import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ConfigError, DataError
from trainsmith.training import (
    Batch,
    BatchConfig,
    CVConfig,
    CVResult,
    EpochRecord,
    ModelConfig,
    ModelInfo,
    SequenceConfig,
    SplitConfig,
    TrainConfig,
    TrainingResult,
    TrainResult,
    ValidationResult,
    WorkflowConfig,
)

EXTENSIONS = {"domain": {"task_id": "main", "limits": [1, 2.5], "on": True}}
FOLD = ValidationResult(loss=0.5, metrics={"r2": 0.1}, sample_count=3, validation_time_seconds=0.25)
EXAMPLES = [
    BatchConfig(batch_size=3, extensions=EXTENSIONS),
    ModelConfig(architecture={"hidden": [4]}, extensions=EXTENSIONS),
    WorkflowConfig(num_epochs=7, random_seed=2**64 - 1, extensions=EXTENSIONS),
    SplitConfig(strategy="group"),
    TrainConfig(epochs=2, weight_decay=0.1),
    SequenceConfig(max_seq_len=4, strategy="curriculum", extensions=EXTENSIONS),
    CVConfig(strategy="purged", purge_gap=2, embargo=1, test_size=0.25, extensions=EXTENSIONS),
    TrainResult(final_loss=1.0, best_loss=0.5, best_epoch=1, total_epochs=2),
    TrainResult(),
    TrainingResult(
        final_loss=1.0,
        best_loss=math.inf,
        history=[EpochRecord(epoch=1, learning_rate=0.1, training_loss=2.0, validation_metrics={"r2": 0.5})],
        model_path="m",
        status="interrupted",
    ),
    ValidationResult(loss=None, extensions={"error": "it failed"}),
    CVResult(mean_loss=0.5, std_loss=0.0, mean_metrics={"r2": 0.1}, fold_results=[FOLD, FOLD], extensions=EXTENSIONS),
    ModelInfo(name="n", parameter_count=2**40, input_shape=[3, 4], extensions=EXTENSIONS),
]
# The JSON names of the original where it has them.
NAMES = {
    SequenceConfig: {"max_seq_len", "num_sequences", "strategy", "extensions"},
    CVConfig: {"strategy", "num_folds", "group_by", "purge_gap", "test_size", "random_seed", "extensions"},
    TrainingResult: {
        *("final_loss", "best_loss", "best_epoch", "total_epochs", "training_time_seconds", "metrics", "extensions")
    },
    ValidationResult: {"loss", "metrics", "sample_count", "validation_time_seconds", "extensions"},
    CVResult: {
        *("mean_loss", "std_loss", "mean_metrics", "std_metrics", "fold_results", "total_time_seconds", "extensions")
    },
    ModelInfo: {"name", "version", "architecture", "parameter_count", "input_shape", "output_shape", "extensions"},
}


def name_of(example):
    return type(example).__name__


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_json_and_toml_round_trips(example):
    kind = type(example)
    assert kind.from_dict(example.to_dict()) == example
    assert kind.from_json(example.to_json()) == example
    assert kind.from_toml(example.to_toml()) == example


@pytest.mark.parametrize("kind", NAMES)
def test_json_names_are_the_seeds(kind):
    assert NAMES[kind] <= set(kind().to_dict())


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_unknown_names_are_refused_and_objects_are_frozen(example):
    with pytest.raises(ConfigError, match="is no known key"):
        type(example).from_dict({**example.to_dict(), "extra": 1})
    name = next(iter(example.to_dict()))
    with pytest.raises(AttributeError):
        setattr(example, name, None)
    with pytest.raises(TypeError):
        type(example)(1)


def test_an_empty_model_path_is_left_out():
    assert "model_path" not in TrainingResult().to_dict()
    assert TrainingResult(model_path="m").to_dict()["model_path"] == "m"


def test_all_problems_of_nested_results_come_in_one_error():
    entries = {"mean_loss": "x", "fold_results": [{"loss": 1.0}, {"los": 1.0, "sample_count": -1}]}
    with pytest.raises(ConfigError) as caught:
        CVResult.from_dict(entries)
    message = str(caught.value)
    assert message.startswith("config: 3 problems")
    assert "cv_result.fold_results[1].los" in message


def test_a_result_may_hold_losses_that_are_not_finite():
    assert math.isnan(ValidationResult.from_json(ValidationResult(loss=math.nan).to_json()).loss)


def test_none_inside_a_table_is_no_toml():
    with pytest.raises(ConfigError, match="JSON"):
        ValidationResult(metrics={"r2": None}).to_toml()


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_text_that_is_no_object_is_refused(text):
    with pytest.raises(ConfigError, match="train_config must be readable"):
        TrainConfig.from_json(text)
    with pytest.raises(ConfigError):
        TrainConfig.from_toml("a = ")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TrainConfig(epochs=0), "epochs"),
        (lambda: CVConfig(strategy="kfold"), "did you mean 'k_fold'"),
        (lambda: SequenceConfig(strategy="x"), '"consecutive" or "random" or "curriculum"'),
        (lambda: CVConfig(num_folds=1), "num_folds"),
        (lambda: CVConfig(test_size=2.5), "test_size"),
        (lambda: CVConfig(test_size=-0.5), "test_size"),
        (lambda: CVConfig(purge_gap=-1), "purge_gap"),
        (lambda: CVConfig(embargo=1), "embargo belongs"),
        (lambda: ModelInfo(input_shape=(-1,)), "input_shape"),
        (lambda: TrainingResult(metrics={"r2": "x"}), "metrics"),
    ],
)
def test_values_out_of_range_are_refused(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_plain_values_are_json():
    for example in EXAMPLES:
        json.dumps(example.to_dict())


def test_a_batch_knows_its_rows_and_refuses_nothing_at_all():
    y = ts.asarray(np.zeros((4, 1), dtype="float32"))
    assert Batch(inputs={"x": y}, targets=y).rows == 4
    for inputs, targets in (({}, y), (None, y), ({"x": y}, None), ([y], y)):
        with pytest.raises(DataError, match="batch: "):
            Batch(inputs=inputs, targets=targets)
