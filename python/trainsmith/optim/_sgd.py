"""Stochastic gradient descent."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    g ← ∇ + λ p; b ← μ b + (1 - τ) g, b ← g in a parameter's first step; p ← p - lr b. Nesterov takes g + μ b for b.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        momentum: μ, at least 0.
        dampening: τ.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        nesterov: whether to look ahead; needs a momentum above 0 and no dampening.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.SGD([x], lr=0.25)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> float(x)
        0.5

    Source: Sutskever et al. 2013, equations 1 to 4, in torch's form, where the rate multiplies the whole buffer.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, options)
