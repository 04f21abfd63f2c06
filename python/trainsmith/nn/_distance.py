"""Distances and angles as modules."""

from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class CosineSimilarity(Module):
    """Gives the cosine of the angle between vectors.

    Args:
        axis: where the vectors lie.
        eps: least length.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.CosineSimilarity()(ts.asarray([[1.0, 0.0]]), ts.asarray([[-2.0, 0.0]])).tolist()
        [-1.0]
    """

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.axis = axis
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Gives the common shape without the axis; see `functional.cosine_similarity`."""
        return functional.cosine_similarity(x1, x2, self.axis, self.eps)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"axis={self.axis}, eps={self.eps}"


@final
class PairwiseDistance(Module):
    """Gives the distance of vectors along the last axis.

    d = ‖x1 - x2 + eps‖_p.

    Args:
        p: which norm: at least 0, or infinity.
        eps: added to each difference.
        keepdims: whether the last axis stays, with size 1.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.PairwiseDistance(eps=0.0)(ts.asarray([[3.0, 4.0]]), ts.zeros((1, 2))).tolist()
        [5.0]
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        super().__init__()
        self.p = p
        self.eps = eps
        self.keepdims = keepdims

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Gives the common shape without the last axis; see `functional.pairwise_distance`."""
        return functional.pairwise_distance(x1, x2, self.p, self.eps, self.keepdims)

    def extra_repr(self) -> str:
        """Names the options."""
        return f"p={self.p}, eps={self.eps}, keepdims={self.keepdims}"
