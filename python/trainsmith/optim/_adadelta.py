"""Adadelta."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Adadelta(Optimizer):
    """Steps in the units of the parameter: by the size of earlier steps over that of gradients.

    g ← ∇ + λ p; v ← ρ v + (1 - ρ) g²; d = √(a + eps) / √(v + eps) g; a ← ρ a + (1 - ρ) d²; p ← p - lr d.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        rho: ρ, in [0, 1].
        eps: added under both roots, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.Adadelta([x], eps=0.01)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.688

    Source: Zeiler 2012, algorithm 1, with torch's lr in front.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, options)
