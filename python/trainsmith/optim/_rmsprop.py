"""RMSprop."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class RMSprop(Optimizer):
    """Divides the gradient by the root of a running mean of its square.

    g ← ∇ + λ p; v ← α v + (1 - α) g²; centered: a ← α a + (1 - α) g, v̂ = v - a², else v̂ = v;
    b ← μ b + g / (√v̂ + eps); p ← p - lr b.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        alpha: α, at least 0.
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0; a penalty, added to the gradient.
        momentum: μ, at least 0.
        centered: whether to take the variance in place of the mean square.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.RMSprop([x], lr=0.1)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.0

    Source: Tieleman and Hinton 2012, lecture 6.5; Graves 2013, equations 38 to 40, for `centered`.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, options)
