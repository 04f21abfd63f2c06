"""The registries for float32 and float64, with what the package brings along."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

import trainsmith as ts
from trainsmith.data._nearest import nearest
from trainsmith.data._options import InvalidConfigError, Problem, read
from trainsmith.data._wording import shown
from trainsmith.models._create import TABULAR, WINDOWED
from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._builtin_models import tabular_model_provider, windowed_model_provider
from trainsmith.training._context import RunContext
from trainsmith.training._cross_validator import DefaultCrossValidator
from trainsmith.training._element import Float32, Float64
from trainsmith.training._job_config import JobConfig
from trainsmith.training._metric_computer import DefaultMetricComputer
from trainsmith.training._plugin_registry import PluginRegistry
from trainsmith.training._prepare import prepare
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig
from trainsmith.training._sequences import DefaultSequenceProvider
from trainsmith.training.checkpoints import CheckpointConfig
from trainsmith.training.loop import LoopConfig
from trainsmith.training.workflows import StandardWorkflow


def array_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    """Makes the built-in data provider `array`.

    Args:
        config: `inputs` and `targets`, and what else `ArrayDataProvider` takes.
        ctx: holds the dtype, to which float arrays are converted.

    Returns:
        The provider.

    Raises:
        ConfigError: unknown or missing names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> Float32Registry.get_data_provider("array", {"inputs": [[1.0]], "targets": [2.0]}).get_metadata()["rows"]
        1
    """
    _check_names("array", config, ("inputs", "targets"), ("validation", "columns", "metadata", "seed", "device"))
    dtype = np.dtype(str(ctx.value("dtype")))

    def converted(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: converted(one) for name, one in cast(Mapping[str, Any], value).items()}
        found: np.ndarray[Any, Any] = np.asarray(value)
        return found.astype(dtype) if found.dtype.kind == "f" else found

    validation = config.get("validation")
    others = {name: value for name, value in config.items() if name not in ("inputs", "targets", "validation")}
    return ArrayDataProvider(
        converted(config["inputs"]),
        converted(config["targets"]),
        validation=None if validation is None else (converted(validation[0]), converted(validation[1])),
        **others,
    )


def csv_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    r"""Makes the built-in data provider `csv`: a table, split and standardised by its training rows.

    Args:
        config: the sections `data` (with `path` and `target`) and, where wanted, `split` and `training`, as in a
            configuration file.
        ctx: holds the dtype.

    Returns:
        Training and validation rows; the metadata hold `task`, `classes`, `feature_names`, `target_mean`,
        `target_std`, `test_inputs` and `test_targets`.

    Raises:
        ConfigError: a setting that breaks its rule.
        DataError: the table breaks a rule.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import Float64Registry
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,y" + "".join(f"\n{i},{2 * i + 0.5}" for i in range(20)))
        >>> provider = Float64Registry.get_data_provider("csv", {"data": {"path": str(path), "target": "y"}})
        >>> provider.get_metadata()["rows"]
        14
        >>> folder.cleanup()
    """
    _check_names("csv", config, ("data",), ("split", "training"))
    job = JobConfig.from_sections({**config, "run": {"dtype": str(ctx.value("dtype"))}})
    prepared = prepare(job)
    validation, test = prepared.validation, prepared.test
    metadata: dict[str, Any] = {
        "task": prepared.target.task,
        "classes": prepared.target.classes,
        "feature_names": tuple(prepared.preprocessor.feature_names),
        "target_mean": prepared.target.mean,
        "target_std": prepared.target.std,
    }
    if test is not None:
        metadata |= {"test_inputs": test.x, "test_targets": test.y}
    return ArrayDataProvider(
        prepared.train.x,
        prepared.train.y,
        validation=None if validation is None else (validation.x, validation.y),
        metadata=metadata,
        seed=job.workflow.random_seed,
    )


def sequence_provider(*, config: Mapping[str, Any], ctx: RunContext) -> DefaultSequenceProvider[Any]:
    """Makes the built-in sequence provider `default`.

    Args:
        config: `seed`, where wanted.
        ctx: not used.

    Returns:
        The provider.

    Raises:
        ConfigError: unknown names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> provider = Float32Registry.get_sequence_provider("default", {"seed": 7})
    """
    _check_names("default", config, (), ("seed",))
    return DefaultSequenceProvider(config.get("seed", 0))


def metric_computer(*, config: Mapping[str, Any], ctx: RunContext) -> DefaultMetricComputer:
    """Makes the built-in metric computer `default`.

    Args:
        config: `metrics`, a list of names, where wanted.
        ctx: not used.

    Returns:
        The computer.

    Raises:
        ConfigError: unknown names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> Float32Registry.get_metric_computer("default", {"metrics": ["r2"]}).available_metrics()
        ['r2']
    """
    _check_names("default", config, (), ("metrics",))
    return DefaultMetricComputer(config.get("metrics", ()))


def cross_validator(*, config: Mapping[str, Any], ctx: RunContext) -> DefaultCrossValidator[Any]:
    """Makes the built-in cross-validator `default`.

    Args:
        config: `workflow`, `workflow_config` and `executor`, where wanted.
        ctx: not used.

    Returns:
        The cross-validator.

    Raises:
        ConfigError: unknown names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> validator = Float32Registry.get_cross_validator("default")
    """
    _check_names("default", config, (), ("workflow", "workflow_config", "executor"))
    return DefaultCrossValidator(
        config.get("workflow"), workflow_config=config.get("workflow_config"), executor=config.get("executor")
    )


def standard_workflow(*, config: Mapping[str, Any], ctx: RunContext) -> StandardWorkflow[Any]:
    """Makes the built-in workflow `standard`.

    Args:
        config: what `StandardWorkflow` takes; `optimizer`, `schedule`, `loop` and `checkpoints` may be mappings of the
            entries of their configurations.
        ctx: not used.

    Returns:
        The workflow.

    Raises:
        ConfigError: unknown names, or a setting that breaks its rule.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> workflow = Float32Registry.get_workflow("standard", {"optimizer": {"name": "sgd"}, "metrics": ["mae"]})
    """
    names = tuple(inspect.signature(StandardWorkflow).parameters)
    _check_names("standard", config, (), names)
    made = {
        name: read(_WORKFLOW_PARTS[name], cast(Mapping[str, Any], value), name)
        if name in _WORKFLOW_PARTS and isinstance(value, Mapping)
        else value
        for name, value in config.items()
    }
    return StandardWorkflow(**made)


_WORKFLOW_PARTS: dict[str, Any] = {
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
    "loop": LoopConfig,
    "checkpoints": CheckpointConfig,
}


def _check_names(place: str, config: Mapping[str, Any], needed: tuple[str, ...], more: tuple[str, ...]) -> None:
    known = (*needed, *more)
    problems = [
        Problem(f"{name} is no known key of {place}", "a known key", shown(name), nearest(name, known))
        for name in config
        if name not in known
    ]
    problems += [
        Problem(f"{name} must be given to {place}", "a value", "nothing", "add the key")
        for name in needed
        if name not in config
    ]
    if problems:
        raise InvalidConfigError(problems)


def _fill(registry: PluginRegistry[Any]) -> None:
    registry.register_data_provider("array", array_data_provider)
    registry.register_data_provider("csv", csv_data_provider)
    registry.register_workflow("standard", standard_workflow)
    for name in TABULAR:
        registry.register_model_provider(name, tabular_model_provider(name))
    for name in WINDOWED:
        registry.register_model_provider(name, windowed_model_provider(name))
    registry.register_sequence_provider("default", sequence_provider)
    registry.register_metric_computer("default", metric_computer)
    registry.register_cross_validator("default", cross_validator)


Float32Registry: PluginRegistry[Float32] = PluginRegistry(ts.float32)
"""The components for float32."""

Float64Registry: PluginRegistry[Float64] = PluginRegistry(ts.float64)
"""The components for float64."""

_fill(Float32Registry)
_fill(Float64Registry)
