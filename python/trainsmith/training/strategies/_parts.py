"""Loss and gradients of a batch from those of its parts."""

from types import TracebackType
from typing import Any, Self

import trainsmith as ts
from trainsmith._core import Tensor
from trainsmith.training._graph import Graph


class Parts:
    """Adds up loss and gradients of parts, each with its share; after an error the gradients are as they were.

    A part whose share is 0 adds nothing, whatever its loss is: the mean over no target is NaN.

    Args:
        graph: whose parameters have the gradients.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training import Graph
        >>> graph = Graph(nn.Linear(1, 1, bias=False))
        >>> with Parts(graph) as parts:
        ...     for part in (1.0, 5.0):
        ...         parts.begin()
        ...         value = graph(ts.asarray([[part]])).sum()
        ...         value.backward()
        ...         parts.add(value.detach(), 0.5)
        >>> graph.module.weight.grad.tolist()
        [[3.0]]
    """

    def __init__(self, graph: Graph) -> None:
        self._parameters = [one for one in graph.parameters() if one.requires_grad]
        self._standing = [one.grad for one in self._parameters]
        self._sums = list(self._standing)
        self._value: Tensor | None = None

    @property
    def value(self) -> Tensor:
        """The sum of the losses so far."""
        assert self._value is not None, "there is at least one part"
        return self._value

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Clears the gradients for the next part."""
        for one in self._parameters:
            one.grad = None

    @ts.no_grad()
    def add(self, value: Tensor, share: Tensor | float) -> None:
        """Takes loss and gradients of a part.

        Args:
            value: its loss, shape ().
            share: how much it counts.
        """
        self._value = _plus(self._value, value, share)
        self._sums = [_plus(before, one.grad, share) for before, one in zip(self._sums, self._parameters, strict=True)]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, grad in zip(self._parameters, self._sums if kind is None else self._standing, strict=True):
            one.grad = grad


def share_of(part: Tensor | int | None, whole: Tensor | int | None) -> Tensor | float:
    """Says how much a part counts.

    Args:
        part: what `amount` gives for the part.
        whole: what it gives for the batch.

    Returns:
        Their ratio; 1 where losses just add up, and 0 for a part of a batch in which nothing counts.
    """
    if part is None or whole is None:
        return 1.0
    if isinstance(part, Tensor) and isinstance(whole, Tensor):
        return part / ts.where(ts.equal(whole, 0), 1, whole)
    return part / whole


def _plus(before: Tensor | None, grad: Tensor | None, share: Tensor | float) -> Any:
    """Adds a share of a gradient to a sum; where there is neither there is none."""
    if grad is None:
        return before
    scaled = grad * (share.astype(grad.dtype) if isinstance(share, Tensor) else share)
    if isinstance(share, Tensor):
        scaled = ts.where(ts.equal(share, 0), ts.zeros_like(scaled), scaled)
    return scaled if before is None else before + scaled
