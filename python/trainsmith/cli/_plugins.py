"""`trainsmith plugins` and `trainsmith devices`: what can be named in a configuration or in code."""

from argparse import ArgumentParser, Namespace
from importlib.metadata import entry_points

import trainsmith as ts
from trainsmith.training import Float32Registry

_KINDS = (
    "workflows",
    "data_providers",
    "model_providers",
    "sequence_providers",
    "metric_computers",
    "cross_validators",
)


def add_plugins(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith plugins`.

    Args:
        parser: the sub-command's parser.
    """
    parser.set_defaults(run=plugins)


def plugins(arguments: Namespace) -> int:
    """Runs `trainsmith plugins`: the names in the registries, those of installed packages with their package.

    Args:
        arguments: none.

    Returns:
        The exit code, 0.
    """
    del arguments
    for kind in _KINDS:
        packages = {
            one.name: f"{one.dist.name} {one.dist.version}"
            for one in entry_points(group=f"trainsmith.{kind}")
            if one.dist is not None
        }
        names: list[str] = getattr(Float32Registry, f"list_{kind}")()
        print(f"{kind.replace('_', ' ')}:")
        for name in names:
            print(f"  {name}" + (f"  ({packages[name]})" if name in packages else ""))
    return 0


def add_devices(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith devices`.

    Args:
        parser: the sub-command's parser.
    """
    parser.set_defaults(run=devices)


def devices(arguments: Namespace) -> int:
    """Runs `trainsmith devices`: one name per line.

    Args:
        arguments: none.

    Returns:
        The exit code, 0.
    """
    del arguments
    print("\n".join(ts.__array_namespace_info__().devices()))
    return 0
