"""DLinear: two linear maps over time, one for the trend and one for the rest."""

from dataclasses import dataclass
from typing import Any, final

import trainsmith as ts
from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data._options import check, option


@dataclass(frozen=True, slots=True, kw_only=True)
class DLinearArchitecture:
    """The shape of a DLinear model: the `architecture` of a model of type `dlinear`.

    Args:
        kernel: time steps of the moving average that is the trend, odd; a window shorter than it has a shorter one.

    Raises:
        ConfigError: fields that break their rule, all of them.

    Example:
        >>> DLinearArchitecture().kernel
        25
    """

    kernel: int = option(25, "time steps of the moving average", "int", low=1)

    def __post_init__(self) -> None:
        check(self)


@final
class DLinear(nn.Module):
    """y = W_t trend(x) + W_s (x - trend(x)) + b, over the time steps of all features.

    The trend is a moving average; beyond its ends a window goes on with its first and last step.

    Args:
        window: time steps, at least 1.
        features: per time step, at least 1.
        outputs: values per window.
        kernel: see `DLinearArchitecture`; an even one counts as the next smaller.
        dtype: of the weights; float32 by default.
        device: of the weights; the CPU by default.

    Raises:
        ConfigError: a kernel below 1.

    Example:
        >>> import trainsmith as ts
        >>> DLinear(7, 3, 1)(ts.ones((5, 7, 3))).shape
        (5, 1)

    Source: Zeng et al. 2023, Are Transformers Effective for Time Series Forecasting?, section 4; here the maps take all
        features together, as there is one target.
    """

    def __init__(
        self, window: int, features: int, outputs: int, *, kernel: int = 25, dtype: Any = None, device: Any = None
    ) -> None:
        super().__init__()
        size = min(DLinearArchitecture(kernel=kernel).kernel, window)
        self.reach = (size - 1) // 2
        self.trend = nn.Linear(window * features, outputs, dtype=dtype, device=device)
        self.season = nn.Linear(window * features, outputs, bias=False, dtype=dtype, device=device)

    def forward(self, x: Tensor) -> Tensor:
        """From shape (windows, time, features) to (windows, outputs)."""
        trend = moving_average(x, self.reach)
        return self.trend(trend.flatten(1)) + self.season((x - trend).flatten(1))


def moving_average(x: Tensor, reach: int) -> Tensor:
    """Averages each time step with its neighbours.

    y[t] = mean of x[t - reach], ..., x[t + reach], where x goes on with its first and last step.

    Args:
        x: shape (windows, time, features).
        reach: neighbours on either side, at least 0.

    Returns:
        The shape of x.

    Example:
        >>> import trainsmith as ts
        >>> moving_average(ts.asarray([[[0.0], [3.0], [6.0]]]), 1).flatten().tolist()
        [1.0, 3.0, 5.0]
    """
    if reach == 0:
        return x
    first, last = ts.repeat(x[:, :1], reach, axis=1), ts.repeat(x[:, -1:], reach, axis=1)
    long = ts.concat([first, x, last], axis=1)
    total = long[:, : x.shape[1]]
    for shift in range(1, 2 * reach + 1):
        total = total + long[:, shift : shift + x.shape[1]]
    return total / (2 * reach + 1)
