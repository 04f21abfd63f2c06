"""The multilayer perceptron for tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trainsmith import nn
from trainsmith.data._options import check, option

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


@dataclass(frozen=True, slots=True, kw_only=True)
class MLPArchitecture:
    """The shape of an MLP: the `architecture` of a model of type `mlp`.

    Args:
        hidden: width of each hidden layer, at least 1; none makes a linear model.
        dropout: share of the hidden values that training sets to zero, in [0, 1).
        activation: `relu`, `gelu` or `tanh`.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> MLPArchitecture(hidden=(32,)).activation
        'relu'
    """

    hidden: tuple[int, ...] = option((64, 64), "width of each hidden layer", "ints", low=1)
    dropout: float = option(0.0, "share of the hidden values set to zero in training", "float", low=0, below=1)
    activation: Literal["relu", "gelu", "tanh"] = option(
        "relu", "what follows each hidden layer", "str", choices=tuple(_ACTIVATIONS)
    )

    def __post_init__(self) -> None:
        check(self)


def mlp(
    inputs: int,
    outputs: int,
    *,
    hidden: Sequence[int] = (64, 64),
    dropout: float = 0.0,
    activation: Literal["relu", "gelu", "tanh"] = "relu",
    dtype: Any = None,
    device: Any = None,
) -> nn.Sequential:
    """Makes linear layers with an activation, and dropout where asked, after each but the last.

    Args:
        inputs: features per row, at least 1.
        outputs: values per row: the number of classes, or 1 for regression.
        hidden: width of each hidden layer.
        dropout: share of the hidden values that training sets to zero, in [0, 1).
        activation: what follows each hidden layer.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Returns:
        A module from shape (rows, inputs) to (rows, outputs).

    Raises:
        ConfigError: a width below 1, a dropout outside [0, 1) or an unknown activation.

    Example:
        >>> len(list(mlp(3, 2, hidden=[8]).parameters()))
        4
    """
    shape = MLPArchitecture(hidden=tuple(hidden), dropout=dropout, activation=activation)
    layers: list[nn.Module] = []
    width = inputs
    for size in shape.hidden:
        layers += [nn.Linear(width, size, dtype=dtype, device=device), _ACTIVATIONS[shape.activation]()]
        if shape.dropout > 0:
            layers.append(nn.Dropout(shape.dropout))
        width = size
    return nn.Sequential(*layers, nn.Linear(width, outputs, dtype=dtype, device=device))
