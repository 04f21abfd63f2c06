"""Adam under the infinity norm."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Adamax(Optimizer):
    """Adam with the largest recent magnitude in place of the root of the mean square.

    g ← ∇ + λ p; m ← β₁ m + (1 - β₁) g; u ← max(β₂ u, |g| + eps); p ← p - lr m / ((1 - β₁ᵗ) u).

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to magnitudes, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.Adamax([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Kingma and Ba 2015, algorithm 2, with torch's eps.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
