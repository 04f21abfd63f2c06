"""The registries for float32 and float64, with what the package brings along."""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import trainsmith as ts
from trainsmith.data._options import read
from trainsmith.models._create import TABULAR, WINDOWED
from trainsmith.training._builtin_data import (
    array_data_provider,
    csv_data_provider,
    npz_data_provider,
    parquet_data_provider,
    window_data_provider,
)
from trainsmith.training._builtin_models import tabular_model_provider, windowed_model_provider
from trainsmith.training._context import RunContext
from trainsmith.training._cross_validator import STRATEGIES, DefaultCrossValidator
from trainsmith.training._element import Float32, Float64
from trainsmith.training._known_names import check_names as _check_names
from trainsmith.training._metric_computer import DefaultMetricComputer
from trainsmith.training._plugin_registry import PluginRegistry
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig
from trainsmith.training._sequences import DefaultSequenceProvider
from trainsmith.training.checkpoints import CheckpointConfig
from trainsmith.training.loop import LoopConfig
from trainsmith.training.workflows import LoopWorkflow, StandardWorkflow


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


def cross_validator(
    *, config: Mapping[str, Any], ctx: RunContext, strategy: str | None = None
) -> DefaultCrossValidator[Any]:
    """Makes the built-in cross-validators: `default`, and one of each strategy's name.

    Args:
        config: `workflow`, `workflow_config` and `executor`, where wanted.
        ctx: not used.
        strategy: the one way to divide rows; None for that of each `CVConfig`.

    Returns:
        The cross-validator.

    Raises:
        ConfigError: unknown names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> validator = Float32Registry.get_cross_validator("walk_forward")
    """
    _check_names(strategy or "default", config, (), ("workflow", "workflow_config", "executor"))
    return DefaultCrossValidator(
        config.get("workflow"),
        workflow_config=config.get("workflow_config"),
        executor=config.get("executor"),
        strategy=strategy,
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
    # Its own keywords, and those that it hands on.
    parameters = [
        one for kind in (StandardWorkflow, LoopWorkflow) for one in inspect.signature(kind).parameters.values()
    ]
    names = tuple(one.name for one in parameters if one.kind is one.KEYWORD_ONLY)
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


def _fill(registry: PluginRegistry[Any]) -> None:
    registry.register_data_provider("arrays", array_data_provider)
    registry.register_data_provider("csv", csv_data_provider)
    registry.register_workflow("standard", standard_workflow)
    for name in TABULAR:
        registry.register_model_provider(name, tabular_model_provider(name))
    for name in WINDOWED:
        registry.register_model_provider(name, windowed_model_provider(name))
    registry.register_data_provider("npz", npz_data_provider)
    registry.register_data_provider("parquet", parquet_data_provider)
    registry.register_data_provider("windows", window_data_provider)
    registry.register_sequence_provider("default", sequence_provider)
    registry.register_metric_computer("default", metric_computer)
    registry.register_cross_validator("default", cross_validator)
    for strategy in STRATEGIES:
        registry.register_cross_validator(strategy, partial(cross_validator, strategy=strategy))


Float32Registry: PluginRegistry[Float32] = PluginRegistry(ts.float32)
"""The components for float32."""

Float64Registry: PluginRegistry[Float64] = PluginRegistry(ts.float64)
"""The components for float64."""

_fill(Float32Registry)
_fill(Float64Registry)
