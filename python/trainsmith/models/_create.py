"""Makes a model from its type and architecture."""

from collections.abc import Callable, Mapping
from typing import Any

from trainsmith import nn
from trainsmith.data._nearest import nearest
from trainsmith.data._options import InvalidConfigError, Problem, read, to_dict
from trainsmith.data._wording import shown
from trainsmith.models._dlinear import DLinear, DLinearArchitecture
from trainsmith.models._lstm import LSTMArchitecture, LSTMModel
from trainsmith.models._mlp import MLPArchitecture, mlp
from trainsmith.models._resnet import ResNetArchitecture, resnet

TABULAR: dict[str, tuple[type[Any], Callable[..., nn.Module]]] = {
    "mlp": (MLPArchitecture, mlp),
    "resnet": (ResNetArchitecture, resnet),
}
"""Models of rows: their architecture, and a function of inputs, outputs and its fields."""

WINDOWED: dict[str, tuple[type[Any], Callable[..., nn.Module]]] = {
    "dlinear": (DLinearArchitecture, DLinear),
    "lstm": (LSTMArchitecture, LSTMModel.of_windows),
}
"""Models of windows: their architecture, and a function of window, features, outputs and its fields."""


def create_model(
    type: str,
    architecture: Mapping[str, Any],
    *,
    inputs: int,
    outputs: int,
    dtype: Any = None,
    device: Any = None,
) -> nn.Module:
    """Makes a model of rows with fresh weights, drawn from the default generator.

    Args:
        type: the model's name; `mlp` or `resnet`.
        architecture: its shape, the fields of `MLPArchitecture` or `ResNetArchitecture`.
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
    return TABULAR[type][1](inputs, outputs, **complete, dtype=dtype, device=device)


def create_windowed_model(
    type: str,
    architecture: Mapping[str, Any],
    *,
    window: int,
    features: int,
    outputs: int,
    dtype: Any = None,
    device: Any = None,
) -> nn.Module:
    """Makes a model of windows with fresh weights, drawn from the default generator.

    Args:
        type: the model's name; `dlinear` or `lstm`.
        architecture: its shape, the fields of `DLinearArchitecture` or `LSTMArchitecture`.
        window: time steps, at least 1.
        features: per time step, at least 1.
        outputs: values per window.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Returns:
        A module from shape (windows, window, features) to (windows, outputs).

    Raises:
        ConfigError: an unknown type or architecture key, or a value that breaks its rule; all of them.

    Example:
        >>> import trainsmith as ts
        >>> model = create_windowed_model("lstm", {"hidden": 8}, window=5, features=2, outputs=1)
        >>> model(ts.ones((4, 5, 2))).shape
        (4, 1)
    """
    complete = complete_windowed_architecture(type, architecture)
    return WINDOWED[type][1](window, features, outputs, **complete, dtype=dtype, device=device)


def complete_architecture(type: str, architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Checks the architecture of a model of rows and fills in the defaults.

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
    return _complete(TABULAR, type, architecture)


def complete_windowed_architecture(type: str, architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Checks the architecture of a model of windows and fills in the defaults.

    Args:
        type: the model's name.
        architecture: its shape, or a part of it.

    Returns:
        The whole shape as plain values.

    Raises:
        ConfigError: an unknown type or architecture key, or a value that breaks its rule; all of them.

    Example:
        >>> complete_windowed_architecture("dlinear", {})
        {'kernel': 25}
    """
    return _complete(WINDOWED, type, architecture)


def _complete(
    types: Mapping[str, tuple[type[Any], Callable[..., nn.Module]]], type: str, architecture: Mapping[str, Any]
) -> dict[str, Any]:
    if type not in types:
        known = tuple(types)
        problem = Problem("model.type must be known", " or ".join(known), shown(type), nearest(type, known))
        raise InvalidConfigError([problem])
    return to_dict(read(types[type][0], architecture, "model.architecture"))
