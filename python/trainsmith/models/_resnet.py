"""The residual network for tables."""

from dataclasses import dataclass
from typing import Any, final

from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data._options import check, option


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNetArchitecture:
    """The shape of a residual network: the `architecture` of a model of type `resnet`.

    Args:
        width: of the values that blocks pass on, at least 1.
        blocks: number of residual blocks, at least 1.
        hidden: width inside a block, at least 1.
        dropout: share of the values inside a block that training sets to zero, in [0, 1).

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> ResNetArchitecture(blocks=3).width
        64
    """

    width: int = option(64, "width of the values that blocks pass on", "int", low=1)
    blocks: int = option(2, "number of residual blocks", "int", low=1)
    hidden: int = option(128, "width inside a block", "int", low=1)
    dropout: float = option(0.0, "share of the values in a block set to zero in training", "float", low=0, below=1)

    def __post_init__(self) -> None:
        check(self)


@final
class ResidualBlock(nn.Module):
    """x + W₂ drop(relu(W₁ norm(x))).

    Args:
        width: of x.
        hidden: rows of W₁.
        dropout: see `ResNetArchitecture`.
        dtype: of the weights.
        device: of the weights.

    Example:
        >>> import trainsmith as ts
        >>> ResidualBlock(4, 8)(ts.ones((2, 4))).shape
        (2, 4)
    """

    def __init__(self, width: int, hidden: int, dropout: float = 0.0, *, dtype: Any = None, device: Any = None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, dtype=dtype, device=device)
        self.first = nn.Linear(width, hidden, dtype=dtype, device=device)
        self.second = nn.Linear(hidden, width, dtype=dtype, device=device)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Adds to x what the block makes of it, shape (rows, width)."""
        return x + self.second(self.dropout(nn.functional.relu(self.first(self.norm(x)))))


def resnet(
    inputs: int,
    outputs: int,
    *,
    width: int = 64,
    blocks: int = 2,
    hidden: int = 128,
    dropout: float = 0.0,
    dtype: Any = None,
    device: Any = None,
) -> nn.Sequential:
    """Makes a linear layer, residual blocks, and a head of normalisation, ReLU and a linear layer.

    It normalises each row by itself, where the source normalises over the batch, so rows are independent.

    Args:
        inputs: features per row, at least 1.
        outputs: values per row: the number of classes, or 1 for regression.
        width: see `ResNetArchitecture`.
        blocks: see `ResNetArchitecture`.
        hidden: see `ResNetArchitecture`.
        dropout: see `ResNetArchitecture`.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Returns:
        A module from shape (rows, inputs) to (rows, outputs).

    Raises:
        ConfigError: a size below 1, or a dropout outside [0, 1).

    Example:
        >>> import trainsmith as ts
        >>> resnet(3, 2)(ts.ones((5, 3))).shape
        (5, 2)

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.2.
    """
    shape = ResNetArchitecture(width=width, blocks=blocks, hidden=hidden, dropout=dropout)
    made = [
        ResidualBlock(shape.width, shape.hidden, shape.dropout, dtype=dtype, device=device) for _ in range(shape.blocks)
    ]
    return nn.Sequential(
        nn.Linear(inputs, shape.width, dtype=dtype, device=device),
        *made,
        nn.LayerNorm(shape.width, dtype=dtype, device=device),
        nn.ReLU(),
        nn.Linear(shape.width, outputs, dtype=dtype, device=device),
    )
