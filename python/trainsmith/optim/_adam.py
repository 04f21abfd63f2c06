"""Adam."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Adam(Optimizer):
    """Steps by running means of the gradient and of its square.

    g ← ∇ + λ p; m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; p ← p - lr m̂ / (√v̂ + eps),
    m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ). AMSGrad takes the largest v so far.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        amsgrad: whether to keep the largest v.
        decoupled_weight_decay: whether λ p is added to the step instead of the gradient.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.Adam([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Kingma and Ba 2015, algorithm 1; Reddi, Kale and Kumar 2018, algorithm 2, for AMSGrad.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, options)
