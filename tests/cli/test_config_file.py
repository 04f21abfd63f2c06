import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsmith.cli._config_file import read_config, write_config
from trainsmith.errors import ConfigError


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[data]\npath = "t.csv"\ntarget = "y"\n')

    def read(*overrides):
        return read_config(str(path), overrides)

    return read


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.learning_rate=3e-4", lambda c: c.workflow.learning_rate == 3e-4),
        ("training.learning_rate=1", lambda c: c.workflow.learning_rate == 1),
        ("split.test=.2", lambda c: c.split.test_ratio == 0.2),
        ("training.num_epochs = 3", lambda c: c.workflow.num_epochs == 3),
        ("training.batch_config.shuffle=false", lambda c: c.workflow.batch_config.shuffle is False),
        ("model.architecture.hidden=[8, 4]", lambda c: c.workflow.model_config.architecture["hidden"] == [8, 4]),
        ("run.output=runs/a=b", lambda c: c.run.output == "runs/a=b"),
        ('run.output="runs/x"', lambda c: c.run.output == "runs/x"),
        ("data.target=2024", lambda c: c.data.target == "2024"),
        ("data.target=true", lambda c: c.data.target == "true"),
        ("data.drop=id", lambda c: c.data.drop == ("id",)),
        ("data.drop=id, name", lambda c: c.data.drop == ("id", "name")),
        ('data.drop=["a,b"]', lambda c: c.data.drop == ("a,b",)),
        ("training.extensions.note=free text", lambda c: c.workflow.extensions == {"note": "free text"}),
    ],
)
def test_overrides(config, override, value):
    assert value(config(override))


def test_the_last_override_wins(config):
    assert config("training.num_epochs=3", "training.num_epochs=4").workflow.num_epochs == 4


@pytest.mark.parametrize("override", ["x=1", "=1", "training.=1", ".a=1", "training", "data.path.more=1"])
def test_a_malformed_override_is_refused(config, override):
    with pytest.raises(ConfigError):
        config(override)


def test_a_path_is_relative_to_the_file(config, tmp_path):
    assert config().data.path == str(tmp_path / "t.csv")


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-_ .\"'", min_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=4)))
def test_what_is_written_is_read_back(sections):
    assert tomllib.loads(write_config(sections)) == sections
