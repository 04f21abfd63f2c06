"""The two kinds of cells that modules hold."""

from trainsmith._core import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "clear_grad"]


def clear_grad(param: Parameter, set_to_none: bool) -> None:
    """Drops a gradient, or fills it with zeros."""
    if set_to_none:
        param.grad = None
    elif (grad := param.grad) is not None:
        grad.copy_(0.0)
