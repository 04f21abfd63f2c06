import json

import pytest

from trainsmith.errors import ConfigError
from trainsmith.training import BatchConfig, ModelConfig, SplitConfig, WorkflowConfig

NAMES = {
    BatchConfig: {"batch_size", "shuffle", "drop_last", "num_workers", "extensions"},
    ModelConfig: {"type", "architecture", "hyperparams", "extensions"},
    SplitConfig: {"validation_ratio", "strategy", "random_seed", "extensions"},
    WorkflowConfig: {
        *("num_epochs", "learning_rate", "early_stop_tolerance", "max_no_improve", "random_seed"),
        *("batch_config", "model_config", "metric_configs", "extensions"),
    },
}


@pytest.mark.parametrize("config", NAMES)
def test_json_names_are_the_seeds(config):
    assert NAMES[config] <= set(config().to_dict())


@pytest.mark.parametrize(
    "config",
    [
        BatchConfig(batch_size=3, extensions={"a": [1]}),
        ModelConfig(architecture={"hidden": [4]}, hyperparams={"x": 1}),
        SplitConfig(strategy="group", validation_ratio=0.3),
        WorkflowConfig(num_epochs=7, model_config=ModelConfig(type="other"), extensions={"domain": {"task": "main"}}),
    ],
)
def test_json_round_trip(config):
    assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_all_problems_of_a_nested_configuration_come_in_one_error():
    entries = {"num_epochs": 0, "learning_rat": 1, "batch_config": {"batch_size": 0, "shufle": True}}
    with pytest.raises(ConfigError) as caught:
        WorkflowConfig.from_dict(entries)
    message = str(caught.value)
    assert message.startswith("config: 4 problems")
    assert "did you mean 'learning_rate'?" in message
    assert "workflow_config.batch_config.shufle" in message


@pytest.mark.parametrize(
    "build",
    [
        lambda: WorkflowConfig(learning_rate=0),
        lambda: WorkflowConfig(learning_rate=float("inf")),
        lambda: WorkflowConfig(random_seed=-1),
        lambda: WorkflowConfig(random_seed=2**64),
        lambda: BatchConfig(batch_size=True),
        lambda: SplitConfig(validation_ratio=0.5, test_ratio=0.5),
        lambda: SplitConfig(purge=3),
        lambda: SplitConfig(strategy="other"),
    ],
)
def test_values_out_of_range_are_refused(build):
    with pytest.raises(ConfigError):
        build()


def test_configurations_are_frozen():
    with pytest.raises(AttributeError):
        WorkflowConfig().num_epochs = 3
