"""The built-in model providers, one per type of model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

from trainsmith.data._nearest import nearest
from trainsmith.data._options import InvalidConfigError, Problem
from trainsmith.data._wording import shown
from trainsmith.models import complete_architecture, complete_windowed_architecture, create_model, create_windowed_model
from trainsmith.training._config import ModelConfig
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph
from trainsmith.training._input import Input
from trainsmith.training._model_provider import SimpleModelProvider
from trainsmith.training._result import ModelInfo

TABULAR_SIZES = ("inputs", "outputs")
WINDOWED_SIZES = ("window", "features", "outputs")


@final
class SizedModelProvider(SimpleModelProvider[Any]):
    """Makes models of one type; their sizes come with the provider or with each configuration.

    Args:
        type: of the models, whatever the type in a configuration is.
        names: of the sizes. Where no `outputs` are given there is 1.
        sizes: those that are known; `ModelConfig.hyperparams` go before them.
        make: from the architecture and the sizes to a graph.
        complete: checks an architecture and fills in its defaults.

    Example:
        >>> from trainsmith.training import Float32Registry, ModelConfig
        >>> provider = Float32Registry.get_model_provider("mlp", {"inputs": 3})
        >>> provider.create_model(ModelConfig(architecture={"hidden": [4]})).inputs
        (Input('x', float32, shape=(None, 3)),)
    """

    def __init__(
        self,
        type: str,
        names: tuple[str, ...],
        sizes: Mapping[str, Any],
        make: Callable[[Mapping[str, Any], Mapping[str, int]], Graph],
        complete: Callable[[str, Mapping[str, Any]], dict[str, Any]],
    ) -> None:
        self._type = type
        self._names = names
        self._sizes = dict(sizes)
        self._complete = complete
        shape = tuple(self._sizes[name] for name in names[:-1] if name in self._sizes)
        known = len(shape) == len(names) - 1
        outputs = (self._sizes.get("outputs", 1),) if known else ()
        info = ModelInfo(name=type, architecture=type, input_shape=shape if known else (), output_shape=outputs)
        super().__init__(lambda config: make(config.architecture, config.hyperparams), info)

    def create_model(self, config: ModelConfig, *, ctx: RunContext | None = None) -> Graph:
        """Makes a new model with fresh weights, drawn from the default generator.

        Args:
            config: architecture; `hyperparams` may hold sizes.
            ctx: may end the work before it starts.

        Returns:
            The model's graph, with one input `x`.

        Raises:
            ConfigError: a size that is missing or below 1, or an architecture that breaks its rules.
            CancelledError: the context is done.
        """
        given = {"outputs": 1, **self._sizes, **config.hyperparams}
        problems = [
            Problem(f"{name} must be a size of the model", "a whole number of at least 1", shown(given.get(name)), step)
            for name, step in ((name, f'pass {{"{name}": 30}} to get_model_provider') for name in self._names)
            if type(given.get(name)) is not int or given[name] < 1
        ]
        problems += [
            Problem(f"{name} is no size of {self._type}", "a known size", shown(name), nearest(name, self._names))
            for name in config.hyperparams
            if name not in self._names
        ]
        if problems:
            raise InvalidConfigError(problems)
        complete = self._complete(self._type, config.architecture)
        sizes = {name: given[name] for name in self._names}
        return super().create_model(replace(config, type=self._type, architecture=complete, hyperparams=sizes), ctx=ctx)


def tabular_model_provider(type: str) -> Callable[..., SizedModelProvider]:
    """Makes the registry's factory for a type of models of rows.

    Args:
        type: such as `mlp`.

    Returns:
        A factory; its `config` may hold `inputs` and `outputs`.

    Example:
        >>> from trainsmith.training import Float64Registry
        >>> Float64Registry.get_model_provider("resnet", {"inputs": 3, "outputs": 2}).get_model_info().output_shape
        (2,)
    """

    def factory(*, config: Mapping[str, Any], ctx: RunContext) -> SizedModelProvider:
        dtype = ctx.value("dtype")

        def make(architecture: Mapping[str, Any], sizes: Mapping[str, int]) -> Graph:
            module = create_model(type, architecture, **sizes, dtype=dtype)
            return Graph(module, inputs=[Input("x", dtype, (None, sizes["inputs"]))])

        _check_names(type, config, TABULAR_SIZES)
        return SizedModelProvider(type, TABULAR_SIZES, config, make, complete_architecture)

    return factory


def windowed_model_provider(type: str) -> Callable[..., SizedModelProvider]:
    """Makes the registry's factory for a type of models of windows.

    Args:
        type: such as `lstm`.

    Returns:
        A factory; its `config` may hold `window`, `features` and `outputs`.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> Float32Registry.get_model_provider("lstm", {"window": 5, "features": 2}).get_model_info().input_shape
        (5, 2)
    """

    def factory(*, config: Mapping[str, Any], ctx: RunContext) -> SizedModelProvider:
        dtype = ctx.value("dtype")

        def make(architecture: Mapping[str, Any], sizes: Mapping[str, int]) -> Graph:
            module = create_windowed_model(type, architecture, **sizes, dtype=dtype)
            return Graph(module, inputs=[Input("x", dtype, (None, sizes["window"], sizes["features"]))])

        _check_names(type, config, WINDOWED_SIZES)
        return SizedModelProvider(type, WINDOWED_SIZES, config, make, complete_windowed_architecture)

    return factory


def _check_names(type: str, config: Mapping[str, Any], names: tuple[str, ...]) -> None:
    problems = [
        Problem(f"{name} is no size of {type}", "a known size", shown(name), nearest(name, names))
        for name in config
        if name not in names
    ]
    if problems:
        raise InvalidConfigError(problems)
