"""Factories by name: explicit registration, and plugins of installed packages."""

import threading
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar, cast

from trainsmith._core import DType
from trainsmith.data._nearest import nearest
from trainsmith.data._wording import shown, worded
from trainsmith.errors import AlreadyRegistered, DTypeError, NotRegistered, PluginError, RegistryError
from trainsmith.training._context import RunContext, raise_if_done

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


class PluginWarning(UserWarning):
    """A plugin of an installed package that is not used."""


class Factory(Protocol[C_co]):
    """Makes a component; called with both arguments by name."""

    def __call__(self, *, config: Mapping[str, Any], ctx: RunContext) -> C_co:
        """Makes the component.

        Args:
            config: settings from whoever asks.
            ctx: `ctx.value("dtype")` is the registry's dtype.

        Returns:
            The component. Where it has a `dtype`, that is the registry's.
        """
        ...


class Registry(Generic[C]):
    """Factories of one kind of component; every method may be called from any thread.

    Entry points of `group` are looked up when the registry is first read, and imported when one is first asked for. A
    registered name goes before an entry point of the same name.

    Args:
        kind: what the components are, for messages, such as `data provider`.
        dtype: what every component must have where it has a `dtype`.
        group: the entry-point group; empty for none.

    Example:
        >>> import trainsmith as ts
        >>> registry = Registry[list[str]]("list", ts.float32)
        >>> registry.register("names", lambda *, config, ctx: list(config))
        >>> registry.get("names", {"a": 1})
        ['a']
    """

    def __init__(self, kind: str, dtype: DType, group: str = "") -> None:
        self._kind = kind
        self._dtype = dtype
        self._group = group
        self._lock = threading.RLock()
        self._factories: dict[str, Callable[..., C]] = {}
        self._plugins: dict[str, EntryPoint] | None = None

    def register(self, name: str, factory: Callable[..., C]) -> None:
        """Adds a factory.

        Args:
            name: not empty, and not taken.
            factory: see `Factory`.

        Raises:
            AlreadyRegistered: the name is taken.
            RegistryError: an empty name, or a factory that cannot be called.
        """
        if not isinstance(name, str) or not name.strip() or not callable(factory):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise worded(
                RegistryError,
                "register",
                f"a {self._kind} needs a name and a factory",
                expected="a text that is not empty, and a function of config and ctx",
                got=f"{shown(name)} and {shown(factory)}",
                step="pass both",
            )
        with self._lock:
            # Plugins are not looked up here: registration is what happens at import.
            if name in self._factories or name in (self._plugins or ()):
                raise worded(
                    AlreadyRegistered,
                    "register",
                    f"{self._kind} {shown(name)} is already registered",
                    expected="a name that is free",
                    got=shown(name),
                    step="choose another name, or unregister it first",
                )
            self._factories[name] = factory

    def get(self, name: str, config: Mapping[str, Any] | None = None, *, ctx: RunContext | None = None) -> C:
        """Makes a component; the factory runs outside the lock, and its errors pass unchanged.

        Args:
            name: which factory.
            config: its settings.
            ctx: handed on to the factory as a child with the registry's dtype.

        Returns:
            The component.

        Raises:
            NotRegistered: an unknown name.
            PluginError: a plugin that cannot be imported or called.
            DTypeError: a component of another dtype.
            CancelledError: the context was done.
        """
        raise_if_done(ctx, "get")
        with self._lock:
            factory = self._factories.get(name)
            plugin = None if factory is not None else self._found().get(name)
            known = sorted({*self._factories, *self._found()})
        if factory is None:
            if plugin is None:
                raise worded(
                    NotRegistered,
                    "get",
                    f"{self._kind} {shown(name)} not registered",
                    expected="a registered name",
                    got=shown(name),
                    step=nearest(str(name), known) if known else f"register a {self._kind} first",
                )
            factory = self._load(name, plugin)
        values = {"dtype": self._dtype}
        component = factory(
            config=dict(config or {}), ctx=RunContext(values=values) if ctx is None else ctx.child(values=values)
        )
        found = getattr(component, "dtype", None)
        if found is not None and str(found) != str(self._dtype):
            raise worded(
                DTypeError,
                "get",
                f"{self._kind} {shown(name)} must have the registry's dtype",
                expected=str(self._dtype),
                got=str(found),
                step="use the registry of that dtype",
            )
        return component

    def names(self) -> list[str]:
        """Returns the known names, sorted, with those of plugins that are not imported yet."""
        with self._lock:
            return sorted({*self._factories, *self._found()})

    def unregister(self, name: str) -> None:
        """Removes a factory or hides a plugin; an unknown name changes nothing.

        Args:
            name: which.
        """
        with self._lock:
            if name in self._factories:
                del self._factories[name]
            else:
                self._found().pop(name, None)

    def clear(self) -> None:
        """Removes every factory and hides every plugin."""
        with self._lock:
            self._factories.clear()
            self._plugins = {}

    def _found(self) -> dict[str, EntryPoint]:
        """Returns the plugins by name; looks for them the first time."""
        if self._plugins is None:
            self._plugins = {}
            for plugin in entry_points(group=self._group) if self._group else ():
                if not plugin.name.strip() or plugin.name in self._plugins or plugin.name in self._factories:
                    unused = f"{self._kind} {shown(plugin.name)} of {_package(plugin)}"
                    warnings.warn(f"{unused} is not used: its name is empty or taken", PluginWarning, stacklevel=2)
                else:
                    self._plugins[plugin.name] = plugin
        return self._plugins

    def _load(self, name: str, plugin: EntryPoint) -> Callable[..., C]:
        try:
            factory: Any = plugin.load()
        except Exception as error:
            raise self._unusable(name, plugin, f"{type(error).__name__}: {error}") from error
        if not callable(cast(object, factory)):
            raise self._unusable(name, plugin, shown(factory))
        with self._lock:
            # Somebody may have hidden the plugin while it was imported.
            if self._found().pop(name, None) is not None:
                self._factories[name] = factory
        return factory

    def _unusable(self, name: str, plugin: EntryPoint, got: str) -> PluginError:
        return worded(
            PluginError,
            "get",
            f"plugin {shown(plugin.value)} of {_package(plugin)} must be a factory of {self._kind} {shown(name)}",
            expected="a function of config and ctx",
            got=got,
            step="update or remove that package",
        )


def _package(plugin: EntryPoint) -> str:
    return "an unknown package" if plugin.dist is None else f"{plugin.dist.name} {plugin.dist.version}"
