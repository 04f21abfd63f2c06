"""Muon."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class Muon(Optimizer):
    """Steps by a momentum matrix that is made nearly orthogonal; for the weights of hidden layers.

    b ← μ b + (1 - μ) g; u = (1 - μ) g + μ b with Nesterov, else b; X = u / ‖u‖, then in bfloat16, `ns_steps` times,
    X ← a X + (b G + c G²) X with G = X Xᵀ; p ← p - lr λ p - lr r X, r = √max(1, rows / columns).

    Args:
        params: parameters of two axes; give others to another optimizer.
        lr: learning rate, at least 0.
        weight_decay: λ, at least 0.
        momentum: μ, at least 0.
        nesterov: whether to look ahead.
        ns_coefficients: a, b and c.
        eps: least norm that u is divided by, at least 0.
        ns_steps: turns of the iteration, below 100.
        adjust_lr_fn: "original", also None, for the r above; "match_rms_adamw" for r = 0.2 √max(rows, columns).
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none or has not two axes, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray([[1.0, 0.0], [0.0, 2.0]]))
        >>> optimizer = optim.Muon([x], lr=0.1, weight_decay=0.0)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> [[round(one, 1) for one in row] for row in x.tolist()]
        [[0.9, 0.0], [0.0, 1.9]]

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu et al. 2025, "Muon is
    scalable for LLM training", equation 4, for the other r.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
            "maximize": maximize,
        }
        super().__init__(params, options)
