"""Further losses beside the main one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast, final

from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._loss_scaler import ScaledLoss
from trainsmith.training.strategies._wrapper import AbstractWrapper

Term = Callable[[Graph, Any, Tensor], Tensor]


@final
class AuxiliaryLossStrategy(AbstractWrapper):
    """Adds weighted terms to the loss: L + Σ w_i L_i.

    It changes the loss that the strategy inside gets, so it goes into or around any other.

    Args:
        terms: by name, its factor and a function of graph, output and targets that gives a tensor without axes. A
            penalty of the weights reads `graph.parameters()`; deep supervision reads what the module gives beside its
            main output, where the main loss picks that.
        inner: computes the gradients; plain back-propagation by default.

    Raises:
        ArgumentError: no term, or one that is no pair of a number and a function.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Batch, Graph
        >>> from trainsmith.training.strategies import AuxiliaryLossStrategy
        >>> graph = Graph(nn.Linear(2, 1, bias=False))
        >>> strategy = AuxiliaryLossStrategy({"size": (0.5, lambda graph, output, targets: (output ** 2).mean())})
        >>> batch = Batch(inputs={"x": ts.ones((4, 2))}, targets=ts.zeros((4, 1)))
        >>> mse = nn.MSELoss()
        >>> round(float(strategy.compute_gradients(graph, mse, batch) / mse(graph(ts.ones((4, 2))), batch.targets)), 4)
        1.5
    """

    def __init__(self, terms: Mapping[str, tuple[float, Term]], inner: Any = None) -> None:
        super().__init__(inner)
        if not isinstance(cast(Any, terms), Mapping) or not terms or not all(map(_is_term, terms.values())):
            raise worded(
                ArgumentError,
                "auxiliary_losses",
                "a term is a factor and a function",
                expected='{"name": (0.1, function of graph, output and targets)}',
                got=shown(terms),
                step="name each term",
            )
        self._terms = MappingProxyType(dict(terms))

    @property
    def terms(self) -> Mapping[str, tuple[float, Term]]:
        """The terms."""
        return self._terms

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the sum of the losses and its gradients; see `GradientStrategy`."""
        if isinstance(loss, ScaledLoss):
            total: Any = ScaledLoss(_Sum(loss.main, graph, self._terms), loss.scaler)
        else:
            total = _Sum(loss, graph, self._terms)
        return self.inner.compute_gradients(graph, total, batch, ctx=ctx)


def _is_term(term: object) -> bool:
    pair = cast(tuple[Any, ...], term) if isinstance(term, tuple) else ()
    return len(pair) == 2 and not callable(pair[0]) and callable(pair[1])


class _Sum:
    """A loss with terms; `main` is what decides how much a batch counts."""

    def __init__(self, main: Any, graph: Graph, terms: Mapping[str, tuple[float, Term]]) -> None:
        self.main = main
        self._graph = graph
        self._terms = terms

    def __call__(self, output: Any, targets: Tensor) -> Tensor:
        value = self.main(output, targets)
        for factor, term in self._terms.values():
            value = value + factor * term(self._graph, output, targets)
        return value
