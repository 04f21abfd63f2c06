"""Negative log-likelihoods and divergences, as modules."""

from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._call import DivergenceReduction, Reduction


@final
class KLDivLoss(Module):
    """Gives the Kullback-Leibler divergence of a distribution from logarithms of another.

    l_i = y_i (log y_i - x_i); with `log_target`, exp(y_i) (y_i - x_i).

    Args:
        reduction: `batchmean` (the sum over the size of axis 0), `mean` or `sum` over all elements, or `none`.
        log_target: whether targets hold logarithms.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> round(float(nn.KLDivLoss("sum")(ts.log(ts.asarray([[0.5, 0.5]])), ts.asarray([[1.0, 0.0]]))), 4)
        0.6931

    Source: Kullback and Leibler 1951.
    """

    def __init__(self, reduction: DivergenceReduction = "mean", log_target: bool = False) -> None:
        super().__init__()
        self.reduction: DivergenceReduction = reduction
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compares log-probabilities with probabilities; see `functional.kl_div`."""
        return functional.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


@final
class PoissonNLLLoss(Module):
    """Gives the negative log-likelihood of counts.

    l_i = exp(x_i) - y_i x_i; without `log_input`, x_i - y_i log(x_i + eps). With `full`, plus y log y - y + log(2π
    y) / 2 where y > 1.

    Args:
        log_input: whether inputs holds logarithms.
        full: whether to add Stirling's approximation of log(y!).
        eps: added to rates, against log 0.
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.PoissonNLLLoss()(ts.asarray([0.0]), ts.asarray([3.0])))
        1.0
    """

    def __init__(
        self, *, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        self.log_input = log_input
        self.full = full
        self.eps = eps
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """See `functional.poisson_nll_loss`."""
        return functional.poisson_nll_loss(
            input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


@final
class GaussianNLLLoss(Module):
    """Gives the negative log-likelihood of numbers under normal distributions.

    l_i = (log v_i + (x_i - y_i)² / v_i) / 2, v_i = max(var_i, eps); with `full`, plus log(2π) / 2. The bound passes
    the gradient on as if it were not there.

    Args:
        full: whether to add the constant.
        eps: least variance, above 0.
        reduction: `mean` or `sum` over all elements, or `none`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.GaussianNLLLoss()(ts.asarray([1.0]), ts.asarray([3.0]), ts.asarray([1.0])))
        2.0

    Source: Nix and Weigend 1994.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.full = full
        self.eps = eps
        self.reduction: Reduction = reduction

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """See `functional.gaussian_nll_loss`."""
        return functional.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)
