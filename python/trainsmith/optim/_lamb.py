"""Layer-wise adaptive rates for Adam."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class LAMB(Optimizer):
    """AdamW whose step for a parameter is as large as the parameter, times the rate; for large batches.

    u = m̂ / (√v̂ + eps) + λ p as in AdamW; p ← p - lr u ‖p‖ / ‖u‖, or p - lr u where ‖p‖ or ‖u‖ is 0.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.LAMB([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: You et al. 2020, "Large batch optimization for deep learning: training BERT in 76 minutes", algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, options)
