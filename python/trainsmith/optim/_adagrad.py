"""Adagrad."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of all its squares.

    g ← ∇ + λ p; s ← s + g²; p ← p - lr / (1 + (t - 1) η) g / (√s + eps).

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        lr_decay: η, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        initial_accumulator_value: s before the first step, at least 0.
        eps: added to the denominator, at least 0.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.Adagrad([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Duchi, Hazan and Singer 2011, figure 1, diagonal form; η is torch's.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, options)
