"""Negative log-likelihoods and divergences of distributions. Shapes that would broadcast by accident are errors."""

from trainsmith._core import Tensor
from trainsmith.nn.functional._call import DivergenceReduction, Reduction, call


def kl_div(
    input: Tensor, target: Tensor, *, reduction: DivergenceReduction = "mean", log_target: bool = False
) -> Tensor:
    """Gives the Kullback-Leibler divergence of a distribution from logarithms of another.

    l_i = y_i (log y_i - x_i); with `log_target`, exp(y_i) (y_i - x_i). 0 log 0 is 0.

    Args:
        input: log-probabilities, any shape.
        target: probabilities, or their logarithms, shape of `input`.
        reduction: `batchmean` (the sum over the size of axis 0, the divergence itself), `mean` or `sum` over all
            elements, or `none`.
        log_target: whether `target` holds logarithms.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> log_probs = ts.log(ts.asarray([[0.5, 0.5]]))
        >>> round(float(nn.functional.kl_div(log_probs, ts.asarray([[1.0, 0.0]]), reduction="sum")), 4)
        0.6931

    Source: Kullback and Leibler 1951.
    """
    return call("kl_div", input, target, reduction=reduction, log_target=log_target)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Tensor:
    """Gives the negative log-likelihood of counts.

    l_i = exp(x_i) - y_i x_i; without `log_input`, x_i - y_i log(x_i + eps). With `full`, plus y log y - y + log(2π
    y) / 2 where y > 1.

    Args:
        input: logarithms of rates, or rates, any shape.
        target: counts, shape of `input`.
        log_input: whether `input` holds logarithms.
        full: whether to add Stirling's approximation of log(y!).
        eps: added to rates, against log 0.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: two shapes.
        ArgumentError: another reduction.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.poisson_nll_loss(ts.asarray([0.0]), ts.asarray([3.0])))
        1.0
    """
    return call("poisson_nll_loss", input, target, log_input=log_input, full=full, eps=eps, reduction=reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    *,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
) -> Tensor:
    """Gives the negative log-likelihood of numbers under normal distributions.

    l_i = (log v_i + (x_i - y_i)² / v_i) / 2, v_i = max(var_i, eps); with `full`, plus log(2π) / 2. The bound passes
    the gradient on as if it were not there.

    Args:
        input: means, any shape.
        target: shape of `input`.
        var: variances: the shape of `input`, that without its last axis or with size 1 there, or one number. A negative
            one gives NaN.
        full: whether to add the constant.
        eps: least variance, above 0.
        reduction: `mean` or `sum` over all elements, or `none`.

    Returns:
        Shape (), or that of `input` for `none`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: another reduction, or an `eps` that is not above 0.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> float(nn.functional.gaussian_nll_loss(ts.asarray([1.0]), ts.asarray([3.0]), ts.asarray([1.0])))
        2.0

    Source: Nix and Weigend 1994.
    """
    return call("gaussian_nll_loss", input, target, var, full=full, eps=eps, reduction=reduction)
