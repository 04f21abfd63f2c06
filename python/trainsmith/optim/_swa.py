"""Stochastic weight averaging."""

from collections.abc import Iterable
from typing import final

from trainsmith._core import Parameter
from trainsmith.optim._average import AveragedParameters


@final
class SWA(AveragedParameters):
    """Keeps the mean of the values that parameters had at each update.

    a ← (n a + p) / (n + 1), n the updates before. Update at the end of each epoch from some epoch on; afterwards
    `update_bn` computes the statistics of batch norm that fit the averages.

    Args:
        params: parameters, such as `model.parameters()`.

    Attributes:
        params: the parameters.

    Raises:
        ArgumentError: no parameter, or something that is none.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> weight = nn.Parameter(ts.asarray([1.0]))
        >>> swa = optim.SWA([weight])
        >>> for value in (1.0, 2.0, 6.0):
        ...     _ = weight.copy_(ts.asarray([value]))
        ...     swa.update()
        >>> swa.averages()[0].tolist()
        [3.0]

    Source: Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization", algorithm 1.
    """

    def __init__(self, params: Iterable[Parameter]) -> None:
        super().__init__(params, None)
