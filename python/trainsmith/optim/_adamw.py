"""Adam with decoupled weight decay."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    m ← β₁ m + (1 - β₁) ∇; v ← β₂ v + (1 - β₂) ∇²; p ← p - lr (m̂ / (√v̂ + eps) + λ p),
    m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ). AMSGrad takes the largest v so far.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0.
        amsgrad: whether to keep the largest v.
        maximize: whether to climb.
        eps_mode: "torch" adds eps to √v̂; "kingma" adds it to √v before the correction, so that it is
            eps / √(1 - β₂ᵗ) there, larger in the first steps.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.AdamW([x], lr=0.1, weight_decay=0.0)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Loshchilov and Hutter 2019, algorithm 2; Reddi, Kale and Kumar 2018, algorithm 2, for AMSGrad;
    Kingma and Ba 2015, end of section 2, for "kingma".
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        eps_mode: str = "torch",
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "eps_mode": eps_mode,
        }
        super().__init__(params, options)
