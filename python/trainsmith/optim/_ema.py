"""Exponential moving averages of parameters."""

from collections.abc import Iterable
from typing import final

from trainsmith._core import Parameter
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError
from trainsmith.optim._average import AveragedParameters


@final
class EMA(AveragedParameters):
    """Keeps an exponential moving average of parameters.

    a ← decay a + (1 - decay) p after each step; the first update takes p whole.

    Args:
        params: parameters, such as `model.parameters()`.
        decay: share that an update keeps, in [0, 1].

    Attributes:
        params: the parameters.
        decay: as given.

    Raises:
        ArgumentError: no parameter, something that is none, or a decay outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> weight = nn.Parameter(ts.asarray([1.0]))
        >>> ema = optim.EMA([weight], decay=0.5)
        >>> for value in (1.0, 2.0):
        ...     _ = weight.copy_(ts.asarray([value]))
        ...     ema.update()
        >>> with ema.swapped():
        ...     print(weight.tolist())
        [1.5]
        >>> weight.tolist()
        [2.0]

    Source: Polyak and Juditsky 1992; the exponential form as in Tarvainen and Valpola 2017, equation 2.
    """

    def __init__(self, params: Iterable[Parameter], decay: float = 0.999) -> None:
        if not 0 <= decay <= 1:
            raise problem(ArgumentError, "EMA", "decay in [0, 1]", repr(decay))
        self.decay = decay
        super().__init__(params, float(decay))
