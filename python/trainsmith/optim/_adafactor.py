"""Adafactor."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Adafactor(Optimizer):
    """Keeps the second moment of a matrix as one mean per row and one per column.

    β = 1 - t^τ; R and C: running means of g² over the last and the last but one axis; v = R C / mean(R), or a plain
    running mean below two axes; u = g / max(√v, eps₁); α = max(eps₂, rms(p)) min(lr, 1 / √t);
    p ← p - lr λ p - α u / max(1, rms(u) / d).

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        beta2_decay: τ, at most 0.
        eps: eps₁, by default the resolution of the parameter's dtype, and eps₂; each at least 0.
        d: bound of the step's rms, at least 1.
        weight_decay: λ, at least 0.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.Adafactor([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Shazeer and Stern 2018, algorithms 4 and 5, with torch's lr and eps₁.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, options)
