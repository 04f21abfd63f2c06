"""Makes a model from its type and architecture."""

from collections.abc import Mapping
from typing import Any

from trainsmith import nn
from trainsmith.data._nearest import nearest
from trainsmith.data._options import InvalidConfigError, Problem, read, to_dict
from trainsmith.data._wording import shown
from trainsmith.models._mlp import MLPArchitecture, mlp

_TYPES = ("mlp",)


def create_model(
    type: str,
    architecture: Mapping[str, Any],
    *,
    inputs: int,
    outputs: int,
    dtype: Any = None,
    device: Any = None,
) -> nn.Module:
    """Makes a model with fresh weights, drawn from the default generator.

    Args:
        type: the model's name; `mlp`.
        architecture: its shape, the fields of `MLPArchitecture`.
        inputs: features per row, at least 1.
        outputs: values per row.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Returns:
        A module from shape (rows, inputs) to (rows, outputs).

    Raises:
        ConfigError: an unknown type or architecture key, or a value that breaks its rule; all of them.

    Example:
        >>> model = create_model("mlp", {"hidden": [8]}, inputs=3, outputs=2)
        >>> sorted(model.state_dict())
        ['0.bias', '0.weight', '2.bias', '2.weight']
    """
    complete = complete_architecture(type, architecture)
    return mlp(inputs, outputs, **complete, dtype=dtype, device=device)


def complete_architecture(type: str, architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Checks a model's architecture and fills in the defaults.

    Args:
        type: the model's name.
        architecture: its shape, or a part of it.

    Returns:
        The whole shape as plain values.

    Raises:
        ConfigError: an unknown type or architecture key, or a value that breaks its rule; all of them.

    Example:
        >>> complete_architecture("mlp", {"hidden": [8]})
        {'hidden': [8], 'dropout': 0.0, 'activation': 'relu'}
    """
    if type not in _TYPES:
        problem = Problem("model.type must be known", " or ".join(_TYPES), shown(type), nearest(type, _TYPES))
        raise InvalidConfigError([problem])
    return to_dict(read(MLPArchitecture, architecture, "model.architecture"))
