"""Model providers: make, save, load."""

import json

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, CancelledError, ConfigError, DTypeError, GraphError, IoError
from trainsmith.testing import check_model_provider
from trainsmith.training import (
    Float32Registry,
    Float64Registry,
    Graph,
    ModelConfig,
    ModelInfo,
    RunContext,
    SimpleModelProvider,
)

SIZES = {
    "mlp": {"inputs": 3, "outputs": 2},
    "resnet": {"inputs": 3},
    "lstm": {"window": 4, "features": 2},
    "dlinear": {"window": 4, "features": 2, "outputs": 3},
}


def net(config):
    module = nn.Sequential(nn.Linear(config.architecture.get("inputs", 2), 3), nn.BatchNorm1d(3))
    return Graph(module)


def provider():
    return SimpleModelProvider(net, ModelInfo(name="net", version="7"))


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("registry", [Float32Registry, Float64Registry], ids=["float32", "float64"])
def test_the_laws_hold_for_the_built_ins(name, registry, tmp_path):
    assert name in registry.list_model_providers()
    check_model_provider(registry.get_model_provider(name, SIZES[name]), folder=tmp_path)


def test_the_laws_hold(tmp_path):
    check_model_provider(provider(), folder=tmp_path)


@pytest.mark.parametrize("dtype", [ts.float16, ts.bfloat16, ts.float32, ts.float64])
def test_dtypes_and_buffers_come_back(dtype, tmp_path):
    made = provider()
    graph = made.create_model(ModelConfig(type="net", architecture={"inputs": 4}))
    graph.module(ts.randn((8, 4)))
    graph.module.to(dtype=dtype)
    made.save_model(graph, tmp_path / "m")
    loaded = provider().load_model(tmp_path / "m")
    for name, one in graph.state_dict().items():
        other = loaded.state_dict()[name]
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(np.asarray(one.astype(ts.float64)), np.asarray(other.astype(ts.float64)))
    again = tmp_path / "again"
    third = provider()
    third.save_model(third.load_model(tmp_path / "m"), again)
    assert again.read_bytes() == (tmp_path / "m").read_bytes()


def test_config_and_info_are_in_the_file(tmp_path):
    made = provider()
    config = ModelConfig(type="net", architecture={"inputs": 4}, extensions={"note": "ü"})
    made.save_model(made.create_model(config), tmp_path / "m")
    _, metadata = ts._core.load_safetensors(str(tmp_path / "m"), "cpu")
    about = json.loads(metadata["trainsmith"])
    assert ModelConfig.from_dict(about["config"]) == config
    assert ModelInfo.from_dict(about["info"]) == ModelInfo(name="net", version="7", parameter_count=21)
    assert made.get_model_info() == ModelInfo(name="net", version="7")


def test_mixed_dtypes_need_a_factory_that_makes_them(tmp_path):
    made = provider()
    graph = made.create_model(ModelConfig())
    graph.module[0].double()
    made.save_model(graph, tmp_path / "m")
    with pytest.raises(DTypeError, match="several dtypes"):
        provider().load_model(tmp_path / "m")


def test_what_cannot_be_made_saved_or_loaded_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no model factory configured"):
        SimpleModelProvider(None, ModelInfo()).create_model(ModelConfig())
    with pytest.raises(GraphError, match="a model factory gives a graph; expected a Graph, got Linear"):
        SimpleModelProvider(lambda config: nn.Linear(1, 1)).create_model(ModelConfig())
    made = provider()
    for model in (None, net(ModelConfig())):
        with pytest.raises(GraphError, match="saved by the provider that made it"):
            made.save_model(model, tmp_path / "m")
    bare = SimpleModelProvider(lambda config: Graph(nn.ReLU()))
    with pytest.raises(GraphError, match="saved by the provider that made it"):
        bare.save_model(bare.create_model(ModelConfig()), tmp_path / "m")
    with pytest.raises(IoError):
        made.save_model(made.create_model(ModelConfig()), tmp_path / "missing" / "m")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IoError):
        made.load_model(tmp_path / "m")
    ts.save_safetensors(tmp_path / "other", {"weight": ts.ones(2)})
    with pytest.raises(IoError, match="must be a saved model"):
        made.load_model(tmp_path / "other")
    made.save_model(made.create_model(ModelConfig()), tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    (tmp_path / "cut").write_bytes(content[:-5])
    with pytest.raises(IoError):
        made.load_model(tmp_path / "cut")
    with pytest.raises(ArgumentError):
        SimpleModelProvider(lambda config: Graph(nn.Linear(2, 3))).load_model(tmp_path / "m")


def test_a_done_context_stops_each():
    context = RunContext()
    context.cancel()
    made = provider()
    graph = made.create_model(ModelConfig())
    for call in (
        lambda: made.create_model(ModelConfig(), ctx=context),
        lambda: made.save_model(graph, "m", ctx=context),
        lambda: made.load_model("m", ctx=context),
    ):
        with pytest.raises(CancelledError):
            call()


def test_sizes_come_from_the_provider_or_the_configuration(tmp_path):
    made = Float32Registry.get_model_provider("mlp")
    config = ModelConfig(architecture={"hidden": [5]}, hyperparams={"inputs": 4, "outputs": 3})
    graph = made.create_model(config)
    assert graph(ts.ones((2, 4))).shape == (2, 3)
    made.save_model(graph, tmp_path / "m")
    loaded = Float32Registry.get_model_provider("mlp", {"inputs": 9}).load_model(tmp_path / "m")
    assert loaded.inputs[0].shape == (None, 4)
    assert Float64Registry.get_model_provider("lstm", SIZES["lstm"]).get_model_info().input_shape == (4, 2)
    assert made.get_model_info().input_shape == ()


@pytest.mark.parametrize(
    ("config", "model", "message"),
    [
        ({"inputs": 3}, ModelConfig(architecture={"wide": 3}), "wide"),
        ({}, ModelConfig(), "inputs must be a size of the model"),
        ({"inputs": 0}, ModelConfig(), "inputs must be a size of the model"),
        ({"inputs": 2}, ModelConfig(hyperparams={"input": 3}), "input is no size of mlp"),
    ],
)
def test_sizes_are_checked(config, model, message):
    with pytest.raises(ConfigError, match=message):
        Float32Registry.get_model_provider("mlp", config).create_model(model)
    with pytest.raises(ConfigError, match="features is no size of mlp"):
        Float32Registry.get_model_provider("mlp", {"features": 3})
