import importlib
import sys
import threading

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import (
    AlreadyRegistered,
    CancelledError,
    ConfigError,
    DataError,
    DTypeError,
    NotRegistered,
    PluginError,
    RegistryError,
)
from trainsmith.testing import (
    check_cross_validator,
    check_data_provider,
    check_metric_computer,
    check_sequence_provider,
)
from trainsmith.training import (
    BatchConfig,
    CVConfig,
    Float32Registry,
    Float64Registry,
    PluginRegistry,
    PluginWarning,
    RunContext,
)

KINDS = {
    "workflow": ("workflows", "workflows"),
    "data_provider": ("data_providers", "dataProviders"),
    "model_provider": ("model_providers", "modelProviders"),
    "sequence_provider": ("sequence_providers", "sequenceProviders"),
    "metric_computer": ("metric_computers", "metricComputers"),
    "cross_validator": ("cross_validators", "crossValidators"),
}
EACH = pytest.mark.parametrize("kind", KINDS)


class Door:
    """One kind of a registry, under short names."""

    def __init__(self, kind, registry=None):
        self.all = registry or PluginRegistry(ts.float32)
        self.register, self.get, self.unregister = (
            getattr(self.all, f"{verb}_{kind}") for verb in ("register", "get", "unregister")
        )
        self.names = getattr(self.all, f"list_{KINDS[kind][0]}")


def made(*, config, ctx):
    return {"config": config, "dtype_of_ctx": ctx.value("dtype"), "ctx": ctx}


@EACH
def test_a_registered_factory_is_found_listed_counted_and_removed(kind):
    door = Door(kind)
    assert door.names() == []
    for name in ("b", "a", "c"):
        door.register(name, made)
    assert door.names() == ["a", "b", "c"]
    assert door.all.summary() == {summary: 3 * (one == kind) for one, (_, summary) in KINDS.items()}
    assert door.get("a", {"x": 1})["config"] == {"x": 1}
    assert door.get("a")["config"] == {}
    door.unregister("a")
    door.unregister("a")
    assert door.names() == ["b", "c"]
    door.all.clear()
    assert set(door.all.summary().values()) == {0}


@EACH
def test_errors_name_kind_and_name(kind):
    door, shown = Door(kind), kind.replace("_", " ")
    door.register("standard", made)
    with pytest.raises(AlreadyRegistered, match=f"{shown} 'standard' is already registered"):
        door.register("standard", made)
    with pytest.raises(NotRegistered, match=f"{shown} 'standart' not registered.*did you mean 'standard'"):
        door.get("standart")
    with pytest.raises(LookupError, match="valid names: standard"):
        door.get("xyz")
    door.all.clear()
    with pytest.raises(NotRegistered, match=f"register a {shown} first"):
        door.get("standard")


@pytest.mark.parametrize(("name", "factory"), [("", made), (" ", made), (None, made), ("a", None), ("a", "text")])
def test_a_name_and_a_function_are_needed(name, factory):
    with pytest.raises(RegistryError, match="needs a name and a factory"):
        Door("workflow").register(name, factory)


def test_the_dtype_of_a_component_must_be_the_registrys():
    class Component:
        def __init__(self, dtype):
            self.dtype = dtype

    for dtype, other in ((ts.float32, "float64"), ("float64", np.float32)):
        door = Door("workflow", PluginRegistry(dtype))
        door.register("right", lambda *, config, ctx: Component(ctx.value("dtype")))
        door.register("wrong", lambda *, config, ctx, other=other: Component(np.dtype(other)))
        assert str(door.get("right").dtype) == str(dtype)
        with pytest.raises(DTypeError, match="must have the registry's dtype"):
            door.get("wrong")
    with pytest.raises(DTypeError):
        PluginRegistry(ts.int64)


def test_the_context_is_handed_on():
    door = Door("workflow")
    door.register("a", made)
    context = RunContext(values={"run": 7})
    found = door.get("a", ctx=context)
    assert found["ctx"].value("run") == 7
    assert found["dtype_of_ctx"] == ts.float32
    context.cancel()
    assert found["ctx"].done
    with pytest.raises(CancelledError):
        door.get("a", ctx=context)


def test_errors_of_a_factory_pass_unchanged_and_it_may_use_the_registry():
    door = Door("workflow")

    def broken(*, config, ctx):
        raise KeyError("its own")

    def nested(*, config, ctx):
        worker = threading.Thread(target=door.names)
        worker.start()
        worker.join(10)
        assert not worker.is_alive(), "the factory runs outside the lock"
        return door.get("made")

    door.register("broken", broken)
    door.register("made", made)
    door.register("nested", nested)
    with pytest.raises(KeyError, match="its own"):
        door.get("broken")
    assert door.get("nested")["config"] == {}


def test_threads_register_each_name_once():
    door = Door("workflow")
    refused = []

    def register():
        for number in range(200):
            try:
                door.register(f"n{number}", made)
            except AlreadyRegistered:
                refused.append(number)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(door.names()) == 200
    assert len(refused) == 600


PLUGIN = """
loaded = True

def provider(*, config, ctx):
    return {"seed": config.get("seed"), "dtype": str(ctx.value("dtype"))}

def workflow(*, config, ctx):
    return "workflow"

number = 3
"""

ENTRIES = """
[trainsmith.data_providers]
sensor = sensor_plugin:provider
broken = sensor_plugin:missing
absent = no_such_package_at_all:provider
number = sensor_plugin:number

[trainsmith.workflows]
online = sensor_plugin:workflow
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Installs a package with entry points, as pip would."""
    (tmp_path / "sensor_plugin.py").write_text(PLUGIN)
    info = tmp_path / "sensor_plugin-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sensor-plugin\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield info
    sys.modules.pop("sensor_plugin", None)


def test_plugins_are_listed_at_once_and_imported_when_asked_for(plugin):
    registry = PluginRegistry(ts.float64)
    assert registry.list_data_providers() == ["absent", "broken", "number", "sensor"]
    assert registry.list_workflows() == ["online"]
    assert registry.summary()["dataProviders"] == 4
    assert "sensor_plugin" not in sys.modules
    assert registry.get_data_provider("sensor", {"seed": 5}) == {"seed": 5, "dtype": "float64"}
    assert "sensor_plugin" in sys.modules
    assert registry.get_workflow("online") == "workflow"
    assert registry.get_data_provider("sensor")["seed"] is None


@pytest.mark.parametrize(
    ("name", "got"), [("broken", "AttributeError"), ("absent", "ModuleNotFoundError"), ("number", "got 3")]
)
def test_a_plugin_that_cannot_be_used_names_its_package(plugin, name, got):
    with pytest.raises(PluginError, match=f"sensor-plugin 1.2.*{got}"):
        PluginRegistry(ts.float32).get_data_provider(name)


def test_a_registered_name_goes_before_a_plugin(plugin):
    registry = PluginRegistry(ts.float32)
    registry.register_data_provider("sensor", made)
    with pytest.warns(PluginWarning, match="'sensor' of sensor-plugin 1.2 is not used"):
        assert "sensor" in registry.list_data_providers()
    assert registry.get_data_provider("sensor", {"x": 1})["config"] == {"x": 1}


def test_a_found_plugin_is_taken_until_it_is_hidden(plugin):
    registry = PluginRegistry(ts.float32)
    registry.list_workflows()
    with pytest.raises(AlreadyRegistered):
        registry.register_workflow("online", made)
    registry.unregister_workflow("online")
    assert registry.list_workflows() == []
    registry.register_workflow("online", made)
    registry.clear()
    assert set(registry.summary().values()) == {0}


def test_the_built_ins_keep_the_laws():
    for registry, dtype in ((Float32Registry, "float32"), (Float64Registry, "float64")):
        x = np.arange(24.0).reshape(12, 2)
        provider = registry.get_data_provider(
            "arrays", {"inputs": {"a": x}, "targets": x[:, 0], "validation": (x, x[:, 0])}
        )
        check_data_provider(provider)
        assert str(next(iter(provider.get_training_data(BatchConfig()))).inputs["a"].dtype) == dtype
        check_metric_computer(registry.get_metric_computer("default", {"metrics": ["mse"]}), [1.0], [2.0])
        check_sequence_provider(registry.get_sequence_provider("default", {"seed": 1}), provider)
        check_cross_validator(registry.get_cross_validator("default"), provider)
        for name in ("k_fold", "time_series", "purged", "walk_forward"):
            folds = registry.get_cross_validator(name).create_folds(provider, CVConfig(num_folds=3))
            assert {fold.metadata()["strategy"] for fold in folds} == {name}
        with pytest.raises(ConfigError, match="divides rows by group"):
            registry.get_cross_validator("group").create_folds(provider, CVConfig(strategy="purged"))


def test_the_csv_provider_splits_and_standardises(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i % 3},{2 * i + 0.5}\n" for i in range(40)))
    config = {"data": {"path": str(path), "target": "y"}, "split": {"validation": 0.2, "test": 0.1}}
    provider = Float32Registry.get_data_provider("csv", config)
    metadata = provider.get_metadata()
    assert (metadata["rows"], metadata["validation_rows"], len(metadata["test_targets"])) == (28, 8, 4)
    assert provider.inputs["x"].dtype == np.float32
    assert abs(provider.inputs["x"].mean()) < 1e-5
    assert metadata["task"] == "regression"
    check_data_provider(provider)


def test_the_parquet_provider_is_the_csv_provider_of_the_same_rows(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"a": [i / 7 for i in range(40)], "b": [i % 3 for i in range(40)], "y": [2 * i + 0.5 for i in range(40)]}
    table = pa.table(columns)
    rows = zip(*columns.values())
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows))
    pq.write_table(table, tmp_path / "t.parquet")
    get = Float64Registry.get_data_provider
    text = get("csv", {"data": {"path": str(tmp_path / "t.csv"), "target": "y"}})
    for one in (
        get("parquet", {"data": {"path": str(tmp_path / "t.parquet"), "target": "y"}}),
        get("parquet", {"table": table, "data": {"target": "y"}}),
    ):
        np.testing.assert_array_equal(one.inputs["x"], text.inputs["x"])
        np.testing.assert_array_equal(one.targets, text.targets)
    check_data_provider(get("parquet", {"table": table, "data": {"target": "y"}}))


def test_the_npz_provider_takes_arrays_by_name(tmp_path):
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12.0)
    np.savez(tmp_path / "t.npz", x=x, label=y, w=y + 1, group=y // 3)
    np.savez(tmp_path / "v.npz", x=x[:2], label=y[:2], w=y[:2] + 1)
    config = {
        "path": str(tmp_path / "t.npz"),
        "targets": "label",
        "weights": "w",
        "columns": ["group"],
        "validation": str(tmp_path / "v.npz"),
        "seed": 3,
    }
    provider = Float32Registry.get_data_provider("npz", config)
    check_data_provider(provider)
    assert list(provider.inputs) == ["x"]
    assert provider.inputs["x"].dtype == np.float32
    assert provider.column("group").tolist() == (y // 3).tolist()
    assert provider.get_metadata()["validation_rows"] == 2
    for batch in provider.get_training_data(BatchConfig(batch_size=5)):
        np.testing.assert_array_equal(np.asarray(batch.weights), np.asarray(batch.targets) + 1)
    with pytest.raises(DataError, match="'other'"):
        Float32Registry.get_data_provider("npz", {**config, "targets": "other"})


def test_the_windows_provider_has_the_registrys_dtype():
    provider = Float64Registry.get_data_provider("windows", {"rows": np.arange(40.0).reshape(20, 2), "window_len": 3})
    check_data_provider(provider)
    assert provider.inputs["x"].dtype == np.float64


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("arrays", {"inputs": [[1.0]]}),
        ("arrays", {"inputs": [[1.0]], "targets": [1.0], "sed": 1}),
        ("csv", {}),
        ("csv", {"x": 1}),
        ("parquet", {"table": None}),
        ("npz", {"inputs": ["x"]}),
        ("windows", {"rows": [[1.0]]}),
    ],
)
def test_built_ins_check_their_settings(name, config):
    with pytest.raises(ConfigError):
        Float32Registry.get_data_provider(name, config)
