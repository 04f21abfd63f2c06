"""Products in half precision, weights and losses in float32."""

from collections.abc import Mapping
from typing import Any, final

import trainsmith as ts
from trainsmith._core import DType, Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError
from trainsmith.training._batch import Batch
from trainsmith.training._context import RunContext
from trainsmith.training._graph import Graph
from trainsmith.training.strategies._loss_scaler import LossScaler, ScaledLoss
from trainsmith.training.strategies._wrapper import AbstractWrapper, load_state, state_of


@final
class MixedPrecisionStrategy(AbstractWrapper):
    """Runs another strategy under `autocast`, with a scaled loss where a scaler is given.

    An overflow is no error: the optimizer's step is skipped, its count and all parameters stay, and the scale is
    halved. Clipping goes around this strategy, as it needs gradients without the scale. A strategy of your own inside
    gets a `ScaledLoss`; a term that it adds has to be scaled with `loss.scaler`.

    Args:
        inner: computes the gradients; plain back-propagation by default.
        dtype: of products, convolutions and attention: `trainsmith.bfloat16` or `float16`.
        scaler: scales the loss, on the model's device; by default a new `LossScaler` on the CPU for float16, whose
            gradients need it, and none for bfloat16.

    Raises:
        ArgumentError: another dtype.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> from trainsmith.training import DefaultTrainer, Graph
        >>> from trainsmith.training.strategies import MixedPrecisionStrategy
        >>> graph = Graph(nn.Linear(2, 1))
        >>> optimizer = optim.SGD(graph.parameters(), lr=0.1)
        >>> trainer = DefaultTrainer(graph, nn.MSELoss(), optimizer, MixedPrecisionStrategy(dtype=ts.float16))
        >>> loss = trainer.train_step(graph, optimizer, {"x": ts.ones((4, 2))}, ts.zeros((4, 1)))
        >>> trainer.state_dict()["strategy"]["scaler"]
        {'scale': 65536.0, 'clean_steps': 1}
    """

    def __init__(self, inner: Any = None, *, dtype: DType = ts.bfloat16, scaler: LossScaler | None = None) -> None:
        super().__init__(inner)
        if dtype not in (ts.bfloat16, ts.float16):
            raise worded(
                ArgumentError,
                "mixed_precision",
                "products run in half precision",
                expected="trainsmith.bfloat16 or trainsmith.float16",
                got=shown(dtype),
                step="leave the strategy out for full precision",
            )
        self._dtype = dtype
        self._scaler = LossScaler() if scaler is None and dtype == ts.float16 else scaler
        self._overflow: Tensor | None = None

    @property
    def scaler(self) -> LossScaler | None:
        """What scales the loss."""
        return self._scaler

    def compute_gradients(self, graph: Graph, loss: Any, batch: Batch, *, ctx: RunContext | None = None) -> Tensor:
        """Computes the loss and the gradients, both without the scale; see `GradientStrategy`."""
        if self._scaler is None:
            with ts.autocast(self._dtype):
                return self.inner.compute_gradients(graph, loss, batch, ctx=ctx)
        parameters = [one for one in graph.parameters() if one.requires_grad]
        standing = [one.grad for one in parameters]
        for one in parameters:
            one.grad = None
        try:
            with ts.autocast(self._dtype):
                scaled = self.inner.compute_gradients(graph, ScaledLoss(loss, self._scaler), batch, ctx=ctx)
            overflow = self._scaler.unscale_gradients(parameters)
        except BaseException:
            for one, grad in zip(parameters, standing, strict=True):
                one.grad = grad
            raise
        with ts.no_grad():
            for one, before in zip(parameters, standing, strict=True):
                if before is not None:
                    one.grad = before if one.grad is None else before + one.grad
            self._overflow = overflow if self._overflow is None else ts.logical_or(self._overflow, overflow)
            return self._scaler.unscaled(scaled)

    def step(self, optimizer: Any) -> None:
        """Takes the optimizer's step unless a gradient overflowed, and adapts the scale."""
        if self._scaler is None or self._overflow is None:
            super().step(optimizer)
            return
        overflow, self._overflow = self._overflow, None
        optimizer.step(skip=overflow)
        self._scaler.update(overflow)

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot: `scaler` where there is one, and `inner`."""
        scaler = {} if self._scaler is None else {"scaler": self._scaler.state_dict()}
        return {**scaler, "inner": state_of(self.inner)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back scaler and inner strategy."""
        if self._scaler is not None:
            self._scaler.load_state_dict(state["scaler"])
        load_state(self.inner, state["inner"])
