"""Batch-norm statistics for averaged parameters."""

from collections.abc import Iterable
from typing import Any, Protocol, cast, runtime_checkable

from trainsmith import _core
from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import GraphError
from trainsmith.nn._module import Module


@runtime_checkable
class _Tracking(Protocol):
    """A layer with running statistics."""

    momentum: float | None
    track_running_stats: bool

    def reset_running_stats(self) -> None: ...


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Computes the running statistics of batch norm anew, as plain averages over all batches.

    Use it inside `swapped()`, after the averages have replaced the parameters whose statistics the layers hold.

    Args:
        loader: batches: inputs, or tuples or lists whose first item they are.
        model: takes the inputs; without batch norm it is not called.

    Raises:
        GraphError: inside a compiled function.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> model = nn.Sequential(nn.BatchNorm1d(1))
        >>> optim.update_bn([ts.asarray([[1.0], [3.0]]), ts.asarray([[5.0], [7.0]])], model)
        >>> model[0].running_mean.tolist()
        [4.0]

    Source: Izmailov et al. 2018, section 3.2.
    """
    if _core.recording():
        raise problem(GraphError, "update_bn", "a call outside compiled functions", "one inside")
    layers = [layer for layer in model.modules() if isinstance(layer, _Tracking) and layer.track_running_stats]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    modes = [(module, module.training) for module in model.modules()]
    before = _core.set_grad_enabled(False)
    try:
        model.train()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        for batch in loader:
            first = cast(tuple[Any, ...] | list[Any], batch)[0] if isinstance(batch, tuple | list) else batch
            cast("Tensor", model(first))
    finally:
        _core.set_grad_enabled(before)
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
        for module, training in modes:
            module.training = training
