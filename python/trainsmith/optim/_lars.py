"""Layer-wise adaptive rates for momentum."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class LARS(Optimizer):
    """Gives each parameter a rate by the size of its values over that of its gradient; for large batches.

    g ← r (∇ + λ p), r = η ‖p‖ / (‖∇‖ + λ ‖p‖ + eps), or 1 where ‖p‖ or ‖∇‖ is 0; then SGD's momentum.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        momentum: μ, at least 0.
        dampening: τ.
        weight_decay: λ, at least 0.
        nesterov: whether to look ahead; needs a momentum above 0 and no dampening.
        trust_coefficient: η, at least 0.
        eps: added to the denominator, at least 0.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.LARS([x], lr=10.0)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.99

    Source: You, Gitman and Ginsburg 2017, "Large batch training of convolutional networks", algorithm 1, with lr
    outside the buffer, as in SGD.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        momentum: float = 0.9,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        trust_coefficient: float = 1e-3,
        eps: float = 1e-8,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "trust_coefficient": trust_coefficient,
            "eps": eps,
        }
        super().__init__(params, options)
