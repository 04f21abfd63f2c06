"""The LSTM for windows of time steps."""

from dataclasses import dataclass
from typing import Any, final

from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data._options import check, option


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMArchitecture:
    """The shape of an LSTM model: the `architecture` of a model of type `lstm`.

    Args:
        hidden: size of the state, at least 1.
        layers: LSTM layers on top of each other, at least 1.
        dropout: share of the outputs of each layer that training sets to zero, in [0, 1).

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> LSTMArchitecture(layers=2).hidden
        32
    """

    hidden: int = option(32, "size of the state", "int", low=1)
    layers: int = option(1, "LSTM layers", "int", low=1)
    dropout: float = option(0.0, "share of each layer's outputs set to zero in training", "float", low=0, below=1)

    def __post_init__(self) -> None:
        check(self)


@final
class LSTMModel(nn.Module):
    """An LSTM whose last output goes through a linear layer.

    Args:
        features: per time step, at least 1.
        outputs: values per window.
        hidden: see `LSTMArchitecture`.
        layers: see `LSTMArchitecture`.
        dropout: see `LSTMArchitecture`.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Raises:
        ConfigError: a size below 1, or a dropout outside [0, 1).

    Example:
        >>> import trainsmith as ts
        >>> LSTMModel(3, 1)(ts.ones((5, 7, 3))).shape
        (5, 1)

    Source: Hochreiter and Schmidhuber 1997.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        hidden: int = 32,
        layers: int = 1,
        dropout: float = 0.0,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        shape = LSTMArchitecture(hidden=hidden, layers=layers, dropout=dropout)
        between = shape.dropout if shape.layers > 1 else 0.0
        self.lstm = nn.LSTM(
            features, shape.hidden, shape.layers, batch_first=True, dropout=between, dtype=dtype, device=device
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.hidden, outputs, dtype=dtype, device=device)

    @classmethod
    def of_windows(cls, window: int, features: int, outputs: int, **options: Any) -> "LSTMModel":
        """Makes a model for windows of a length, which the model itself does not need."""
        del window
        return cls(features, outputs, **options)

    def forward(self, x: Tensor) -> Tensor:
        """From shape (windows, time, features) to (windows, outputs)."""
        steps, _ = self.lstm(x)
        return self.head(self.dropout(steps[:, -1]))
