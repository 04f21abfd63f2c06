"""One batch of a training step."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, cast

from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import DataError
from trainsmith.training._element import T_co


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch(Generic[T_co]):
    """Inputs and targets of one training step.

    Args:
        inputs: tensor by graph input; a key is an input of the graph or its name. At least one.
        targets: one tensor; the loss decides what it means.
        weights: how much each row counts, at least 0, shape (rows,) or the leading axes of what the loss gives with
            `reduction="none"`, such as (rows, tokens); None counts all alike.

    Attributes:
        rows: the length of the targets' first axis; 1 where they have no axis.

    Raises:
        DataError: `inputs` is no mapping, or is empty, or `targets` is None.

    Example:
        >>> import trainsmith as ts
        >>> Batch(inputs={"x": ts.zeros((4, 3))}, targets=ts.zeros((4, 1))).rows
        4
    """

    inputs: Mapping[Hashable, Tensor]
    targets: Tensor
    weights: Tensor | None = None
    rows: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        inputs = cast(Any, self.inputs)
        # A dict first: that is what almost all are, and to ask for a protocol takes longer.
        if not isinstance(inputs, (dict, Mapping)) or not inputs or cast(Any, self.targets) is None:
            raise worded(
                DataError,
                "batch",
                "a batch needs inputs by name and targets",
                expected="a mapping with at least one tensor, and a tensor",
                got=f"{shown(cast(object, inputs))} and {shown(self.targets)}",
                step='pass inputs={"x": x}, targets=y',
            )
        shape = self.targets.shape
        object.__setattr__(self, "rows", shape[0] if shape else 1)
