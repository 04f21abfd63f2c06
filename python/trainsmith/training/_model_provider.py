"""A model provider around a function that makes a graph."""

import json
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike, fspath
from typing import Any, Generic, cast

from trainsmith import nn
from trainsmith._core import Tensor, load_safetensors, save_safetensors
from trainsmith._dtypes import isdtype
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ConfigError, DTypeError, GraphError, IoError
from trainsmith.training._config import ModelConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._element import T_co
from trainsmith.training._graph import Graph
from trainsmith.training._kept_generator import kept_generator
from trainsmith.training._result import ModelInfo

ABOUT = "trainsmith"
_FORMAT = "trainsmith-model-1"


class SimpleModelProvider(Generic[T_co]):
    """Makes models with a function, saves them to safetensors files and loads them again.

    A file holds parameters and buffers in their dtypes, the configuration that made the model, and the info.

    Args:
        factory: from a `ModelConfig` to a new `Graph`; None refuses to make models.
        info: what `get_model_info` gives.

    Example:
        >>> import os, tempfile
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Graph, ModelConfig, ModelInfo, SimpleModelProvider
        >>> def factory(config):
        ...     return Graph(nn.Linear(config.architecture["inputs"], 1))
        >>> provider = SimpleModelProvider(factory, ModelInfo(name="line"))
        >>> graph = provider.create_model(ModelConfig(type="line", architecture={"inputs": 3}))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "line.safetensors")
        ...     provider.save_model(graph, path)
        ...     loaded = provider.load_model(path)
        >>> bool(ts.all(ts.equal(loaded.module.weight, graph.module.weight)))
        True
    """

    def __init__(self, factory: Callable[[ModelConfig], Graph] | None, info: ModelInfo | None = None) -> None:
        self._factory = factory
        self._info = ModelInfo() if info is None else info
        self._configs: weakref.WeakKeyDictionary[Graph, ModelConfig] = weakref.WeakKeyDictionary()

    def create_model(self, config: ModelConfig, *, ctx: RunContext | None = None) -> Graph:
        """Makes a new model.

        Args:
            config: handed to the factory.
            ctx: may end the work before it starts.

        Returns:
            The model's graph.

        Raises:
            ConfigError: there is no factory.
            GraphError: the factory gave no graph.
            CancelledError: the context is done.
        """
        raise_if_done(ctx, "create_model")
        if self._factory is None:
            raise worded(
                ConfigError,
                "create_model",
                "no model factory configured",
                expected="SimpleModelProvider(factory, info)",
                got="None",
                step="pass a function from ModelConfig to Graph",
            )
        graph = self._factory(config)
        if not isinstance(cast(Any, graph), Graph):
            raise worded(
                GraphError,
                "create_model",
                "a model factory gives a graph",
                expected="a Graph",
                got=type(graph).__name__,
                step="wrap the module: Graph(module)",
            )
        self._configs[graph] = config
        return graph

    def load_model(self, path: str | PathLike[str], *, ctx: RunContext | None = None) -> Graph:
        """Loads a saved model.

        Args:
            path: where `save_model` put it.
            ctx: may end the work before it starts.

        Returns:
            A new graph with the weights and dtypes that were saved. The default generator stays where it is.

        Raises:
            IoError: no such file, or one that `save_model` did not write.
            ConfigError: there is no factory.
            DTypeError: saved dtypes that the factory's model cannot take.
            ArgumentError: the factory makes another model from the saved configuration.
            CancelledError: the context is done.
        """
        raise_if_done(ctx, "load_model")
        tensors, metadata = load_safetensors(fspath(path), "cpu")
        about = about_of(metadata, _FORMAT)
        if about is None:
            raise worded(
                IoError,
                "load_model",
                f"{shown(fspath(path))} must be a saved model",
                expected=f"a safetensors file of format {_FORMAT}",
                got=shown(metadata),
                step="pass a file that save_model wrote",
            )
        with kept_generator():
            graph = self.create_model(ModelConfig.from_dict(about["config"]), ctx=ctx)
        _take_dtypes(graph.module, tensors)
        graph.load_state_dict(tensors)
        return graph

    def save_model(self, model: Graph, path: str | PathLike[str], *, ctx: RunContext | None = None) -> None:
        """Saves a model, whole or not at all; a file that is there is replaced.

        Args:
            model: a graph that this provider made or loaded.
            path: the file.
            ctx: may end the work before it starts.

        Raises:
            GraphError: no graph, one without parameters, or one from elsewhere.
            IoError: a place that cannot be written.
            CancelledError: the context is done.
        """
        raise_if_done(ctx, "save_model")
        state = model.state_dict() if isinstance(cast(Any, model), Graph) else {}
        config = self._configs.get(model) if state else None
        if config is None or not any(True for _ in model.parameters()):
            raise worded(
                GraphError,
                "save_model",
                "a model is saved by the provider that made it",
                expected="a graph of this provider with at least one parameter",
                got=shown(model) if config is None else "a graph without parameters",
                step="make it with create_model or load_model",
            )
        count = sum(one.size for one in model.parameters())
        info = replace(self._info, parameter_count=self._info.parameter_count or count)
        # One entry, as the file's writer keeps no order of several.
        about = json.dumps({"format": _FORMAT, "config": config.to_dict(), "info": info.to_dict()})
        save_safetensors(fspath(path), list(state.items()), [(ABOUT, about)])

    def get_model_info(self) -> ModelInfo:
        """Returns the info, as it was given."""
        return self._info


def about_of(metadata: Mapping[str, str], format: str) -> dict[str, Any] | None:
    """Reads what a file says about itself.

    Args:
        metadata: of a safetensors file.
        format: that the file must have.

    Returns:
        Its entries; None for a file of another format.

    Example:
        >>> about_of({"trainsmith": '{"format": "a", "size": 3}'}, "a")
        {'format': 'a', 'size': 3}
    """
    try:
        about: Any = json.loads(metadata.get(ABOUT, "null"))
    except ValueError:
        return None
    return cast(dict[str, Any], about) if isinstance(about, dict) and about.get("format") == format else None  # pyright: ignore[reportUnknownMemberType]


def _take_dtypes(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Converts a module to the one floating dtype that was saved."""
    there = {name: one.dtype for name, one in module.state_dict().items() if isdtype(one.dtype, "real floating")}
    saved = {name: tensors[name].dtype for name in there if name in tensors}
    if all(there[name] == dtype for name, dtype in saved.items()):
        return
    found = set(saved.values())
    if len(found) > 1:
        raise worded(
            DTypeError,
            "load_model",
            "a model of several dtypes needs a factory that makes them",
            expected="the saved dtypes",
            got=", ".join(sorted({str(dtype) for dtype in there.values()})),
            step="make the model in its dtypes in the factory",
        )
    module.to(dtype=found.pop())
