"""AdamW with state in eight bits."""

from typing import final

from trainsmith.optim._optimizer import Optimizer, Params


@final
class AdamW8bit(Optimizer):
    """AdamW that keeps its two means in one byte each.

    The step is AdamW's. The means are coded in blocks of 256 values, each value relative to the largest of its block,
    by a code that keeps the order of magnitude over seven decades: 2.03 bytes per value in place of 8.

    Args:
        params: parameters, pairs (name, parameter), or groups with options of their own.
        lr: learning rate, at least 0.
        betas: β₁ and β₂, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: λ, at least 0.
        min_8bit_size: tensors of fewer elements keep float32 means.
        maximize: whether to climb.

    Raises:
        ArgumentError: no parameter, something that is none, or an option outside its domain.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> x = nn.Parameter(ts.asarray(1.0))
        >>> optimizer = optim.AdamW8bit([x], lr=0.1, weight_decay=0.0)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(float(x), 3)
        0.9

    Source: Dettmers et al. 2022, "8-bit optimizers via block-wise quantization".
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
        min_8bit_size: int = 4096,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "min_8bit_size": min_8bit_size,
        }
        super().__init__(params, options)
