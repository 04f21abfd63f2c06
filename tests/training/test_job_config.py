import tomllib
from pathlib import Path

import pytest

from trainsmith.errors import ConfigError
from trainsmith.training import JobConfig

EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*.toml"))
MINIMAL = {"data": {"path": "t.csv", "target": "y"}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_read_and_round_trip(path):
    config = JobConfig.from_sections(tomllib.loads(path.read_text(encoding="utf-8")))
    assert JobConfig.from_sections(config.to_sections()) == config
    assert config.split.random_seed == config.workflow.random_seed == 7


def test_only_path_and_target_are_required():
    config = JobConfig.from_sections(MINIMAL)
    assert config.workflow.model_config.architecture == {"hidden": [64, 64], "dropout": 0.0, "activation": "relu"}
    with pytest.raises(ConfigError, match=r"2 problems[^$]*data\.path must be given[^$]*data\.target must be given"):
        JobConfig.from_sections({})


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"modle": {}}, "did you mean 'model'?"),
        ({"training": {"lerning_rate": 1}}, "did you mean 'learning_rate'?"),
        ({"split": {"validaton": 0.1}}, "did you mean 'validation'?"),
        ({"split": {"validation_ratio": 0.1}}, "did you mean 'validation'?"),
        ({"training": {"batch_config": {"batchsize": 1}}}, "did you mean 'batch_size'?"),
        ({"model": {"architecture": {"hiden": [1]}}}, "did you mean 'hidden'?"),
        ({"model": {"type": "mpl"}}, "did you mean 'mlp'?"),
        ({"optimizer": {"name": "adam"}}, "did you mean 'adamw'?"),
        ({"schedule": {"name": "cosin"}}, "did you mean 'cosine'?"),
        ({"run": {"dtype": "float16"}}, 'expected "float32" or "float64"'),
        ({"run": {"device": "cuda"}}, '"cpu"'),
        ({"data": {"path": "t.csv", "target": "y", "missing": "median"}}, '"error" or "mean" or "drop"'),
        ({"data": {"path": "t.csv", "target": "y", "drop": ["y"]}}, "it also in data.drop"),
        ({"split": {"strategy": "walk_forward"}}, "split.train_size and split.test_size"),
        ({"split": {"strategy": "group"}}, "data.group"),
        ({"split": {"validation": 0.6, "test": 0.4}}, "a sum below 1"),
        ({"optimizer": {"momentum": 0.9}}, "optimizer.momentum belongs to sgd"),
        ({"training": 3}, "training must be a section"),
        ({"training": {"random_seed": -1}}, "at least 0"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(sections, expected):
    with pytest.raises(ConfigError) as caught:
        JobConfig.from_sections({**MINIMAL, **sections}, "c.toml")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("config of c.toml: ")
    assert "\n" not in str(caught.value)


def test_mistakes_in_several_sections_come_in_one_error():
    sections = {**MINIMAL, "run": {"dtpe": 1}, "model": {"architecture": {"hidden": [0]}}, "other": {}}
    with pytest.raises(ConfigError, match="3 problems"):
        JobConfig.from_sections(sections)
