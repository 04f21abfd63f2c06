"""The registry of all six kinds of components, for one dtype."""

from collections.abc import Callable, Mapping
from typing import Any, Generic

import trainsmith as ts
from trainsmith._core import DType
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DTypeError
from trainsmith.training._context import RunContext
from trainsmith.training._element import T
from trainsmith.training._protocols_data import DataProvider, SequenceProvider
from trainsmith.training._protocols_validation import CrossValidator, MetricComputer
from trainsmith.training._protocols_workflow import ModelProvider, TrainingWorkflow
from trainsmith.training._registry import Registry

WorkflowFactory = Callable[..., TrainingWorkflow[T]]
DataProviderFactory = Callable[..., DataProvider[T]]
ModelProviderFactory = Callable[..., ModelProvider[T]]
SequenceProviderFactory = Callable[..., SequenceProvider[T]]
MetricComputerFactory = Callable[..., MetricComputer]
CrossValidatorFactory = Callable[..., CrossValidator[T]]


class PluginRegistry(Generic[T]):
    """Makes workflows, providers, metric computers and cross-validators by name.

    A factory is called as `factory(config=..., ctx=...)`, where `ctx.value("dtype")` is the registry's dtype. Installed
    packages add factories through entry points of these groups, which are imported when they are first asked for:
    `trainsmith.workflows`, `trainsmith.data_providers`, `trainsmith.model_providers`, `trainsmith.sequence_providers`,
    `trainsmith.metric_computers` and `trainsmith.cross_validators`. Every method may be called from any thread.

    Args:
        dtype: `trainsmith.float32`, `trainsmith.float64`, or such a name.

    Raises:
        DTypeError: another dtype.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith.training import DefaultMetricComputer
        >>> registry = PluginRegistry(ts.float32)
        >>> registry.register_metric_computer("errors", lambda *, config, ctx: DefaultMetricComputer(["mse", "mae"]))
        >>> registry.list_metric_computers(), registry.get_metric_computer("errors").available_metrics()
        (['errors'], ['mae', 'mse'])
    """

    def __init__(self, dtype: DType | str) -> None:
        if str(dtype) not in ("float32", "float64"):
            raise worded(
                DTypeError,
                "plugin_registry",
                "a registry has a dtype",
                expected="float32 or float64",
                got=shown(str(dtype)),
                step="choose one of them",
            )
        self.dtype: DType = getattr(ts, str(dtype))
        self._workflows = Registry[TrainingWorkflow[T]]("workflow", self.dtype, "trainsmith.workflows")
        self._data_providers = Registry[DataProvider[T]]("data provider", self.dtype, "trainsmith.data_providers")
        self._model_providers = Registry[ModelProvider[T]]("model provider", self.dtype, "trainsmith.model_providers")
        self._sequence_providers = Registry[SequenceProvider[T]](
            "sequence provider", self.dtype, "trainsmith.sequence_providers"
        )
        self._metric_computers = Registry[MetricComputer]("metric computer", self.dtype, "trainsmith.metric_computers")
        self._cross_validators = Registry[CrossValidator[T]](
            "cross validator", self.dtype, "trainsmith.cross_validators"
        )

    def register_workflow(self, name: str, factory: WorkflowFactory[T]) -> None:
        """Adds a factory of workflows; see `Registry.register`."""
        self._workflows.register(name, factory)

    def get_workflow(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> TrainingWorkflow[T]:
        """Makes a workflow; see `Registry.get`."""
        return self._workflows.get(name, config, ctx=ctx)

    def list_workflows(self) -> list[str]:
        """Returns the names of the workflows, sorted."""
        return self._workflows.names()

    def unregister_workflow(self, name: str) -> None:
        """Removes a workflow; an unknown name changes nothing."""
        self._workflows.unregister(name)

    def register_data_provider(self, name: str, factory: DataProviderFactory[T]) -> None:
        """Adds a factory of data providers; see `Registry.register`."""
        self._data_providers.register(name, factory)

    def get_data_provider(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> DataProvider[T]:
        """Makes a data provider; see `Registry.get`."""
        return self._data_providers.get(name, config, ctx=ctx)

    def list_data_providers(self) -> list[str]:
        """Returns the names of the data providers, sorted."""
        return self._data_providers.names()

    def unregister_data_provider(self, name: str) -> None:
        """Removes a data provider; an unknown name changes nothing."""
        self._data_providers.unregister(name)

    def register_model_provider(self, name: str, factory: ModelProviderFactory[T]) -> None:
        """Adds a factory of model providers; see `Registry.register`."""
        self._model_providers.register(name, factory)

    def get_model_provider(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> ModelProvider[T]:
        """Makes a model provider; see `Registry.get`."""
        return self._model_providers.get(name, config, ctx=ctx)

    def list_model_providers(self) -> list[str]:
        """Returns the names of the model providers, sorted."""
        return self._model_providers.names()

    def unregister_model_provider(self, name: str) -> None:
        """Removes a model provider; an unknown name changes nothing."""
        self._model_providers.unregister(name)

    def register_sequence_provider(self, name: str, factory: SequenceProviderFactory[T]) -> None:
        """Adds a factory of sequence providers; see `Registry.register`."""
        self._sequence_providers.register(name, factory)

    def get_sequence_provider(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> SequenceProvider[T]:
        """Makes a sequence provider; see `Registry.get`."""
        return self._sequence_providers.get(name, config, ctx=ctx)

    def list_sequence_providers(self) -> list[str]:
        """Returns the names of the sequence providers, sorted."""
        return self._sequence_providers.names()

    def unregister_sequence_provider(self, name: str) -> None:
        """Removes a sequence provider; an unknown name changes nothing."""
        self._sequence_providers.unregister(name)

    def register_metric_computer(self, name: str, factory: MetricComputerFactory) -> None:
        """Adds a factory of metric computers; see `Registry.register`."""
        self._metric_computers.register(name, factory)

    def get_metric_computer(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> MetricComputer:
        """Makes a metric computer; see `Registry.get`."""
        return self._metric_computers.get(name, config, ctx=ctx)

    def list_metric_computers(self) -> list[str]:
        """Returns the names of the metric computers, sorted."""
        return self._metric_computers.names()

    def unregister_metric_computer(self, name: str) -> None:
        """Removes a metric computer; an unknown name changes nothing."""
        self._metric_computers.unregister(name)

    def register_cross_validator(self, name: str, factory: CrossValidatorFactory[T]) -> None:
        """Adds a factory of cross validators; see `Registry.register`."""
        self._cross_validators.register(name, factory)

    def get_cross_validator(
        self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None
    ) -> CrossValidator[T]:
        """Makes a cross validator; see `Registry.get`."""
        return self._cross_validators.get(name, config, ctx=ctx)

    def list_cross_validators(self) -> list[str]:
        """Returns the names of the cross validators, sorted."""
        return self._cross_validators.names()

    def unregister_cross_validator(self, name: str) -> None:
        """Removes a cross validator; an unknown name changes nothing."""
        self._cross_validators.unregister(name)

    def clear(self) -> None:
        """Removes everything, and hides the plugins of installed packages."""
        for registry in self._by_kind().values():
            registry.clear()

    def summary(self) -> dict[str, int]:
        """Returns how many components of each kind are known."""
        return {kind: len(registry.names()) for kind, registry in self._by_kind().items()}

    def _by_kind(self) -> dict[str, Registry[Any]]:
        return {
            "workflows": self._workflows,
            "dataProviders": self._data_providers,
            "modelProviders": self._model_providers,
            "sequenceProviders": self._sequence_providers,
            "metricComputers": self._metric_computers,
            "crossValidators": self._cross_validators,
        }
