"""Adam with Nesterov momentum."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class NAdam(Optimizer):
    """Adam that looks ahead by the momentum of the next step.

    m and v as in Adam; μₜ = β₁ (1 - 0.96^(t ψ) / 2);
    p ← p - lr ((1 - μₜ) g / (1 - Πμ) + μₜ₊₁ m / (1 - μₜ₊₁ Πμ)) / (√v̂ + eps).

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        momentum_decay: ψ, at least 0.
        decoupled_weight_decay: whether λ p is added to the step instead of the gradient.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.NAdam([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.894

    Source: Dozat 2016, algorithm 2 and section 3.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, options)
