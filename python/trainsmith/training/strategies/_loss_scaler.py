"""A factor that keeps small half-precision gradients from vanishing."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

import trainsmith as ts
from trainsmith import nn
from trainsmith._core import Tensor
from trainsmith.data._wording import shown, worded
from trainsmith.errors import ArgumentError

_OP = "loss_scaler"


class LossScaler:
    """Multiplies a loss by a scale that adapts: halved when a gradient overflows, doubled after a run of clean steps.

    The scale is a buffer, so a compiled step follows it. It is a power of two where its start is one, and then dividing
    by it rounds nothing.

    Args:
        initial_scale: where it starts, at least 1.
        growth_interval: steps in a row without overflow after which it doubles, at least 1.
        max_scale: it grows no further; at least `initial_scale`.
        device: of the model.

    Raises:
        ArgumentError: a number outside its range.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn, optim
        >>> from trainsmith.training.strategies import LossScaler
        >>> model, scaler = nn.Linear(2, 1), LossScaler(1024.0)
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> scaler.scale_loss(model(ts.ones((4, 2))).mean()).backward()
        >>> overflow = scaler.unscale_gradients(model.parameters())
        >>> optimizer.step(skip=overflow)
        >>> scaler.update(overflow)
        >>> model.weight.grad.tolist(), scaler.scale
        ([[1.0, 1.0]], 1024.0)

    Source: Micikevicius et al. 2018, Mixed Precision Training, section 3.2.
    """

    def __init__(
        self,
        initial_scale: float = 65536.0,
        *,
        growth_interval: int = 2000,
        max_scale: float = 2.0**40,
        device: str = "cpu",
    ) -> None:
        if not (1 <= initial_scale <= max_scale < math.inf) or growth_interval < 1:
            raise worded(
                ArgumentError,
                _OP,
                "a scale starts at 1 or above and grows to a bound",
                expected="1 <= initial_scale <= max_scale, finite, and growth_interval of at least 1",
                got=f"{initial_scale}, {max_scale} and {growth_interval}",
                step="leave the defaults",
            )
        self._interval = int(growth_interval)
        self._highest = float(max_scale)
        self._scale = nn.Buffer(ts.full((), float(initial_scale), dtype=ts.float32, device=device))
        self._clean = nn.Buffer(ts.zeros((), dtype=ts.int32, device=device))

    @property
    def scale(self) -> float:
        """The scale now; not inside compiled functions."""
        return float(self._scale)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Multiplies a loss by the scale.

        Args:
            loss: float32 or float64.

        Returns:
            The scaled loss, of the same shape and dtype.
        """
        return loss * self._scale.astype(loss.dtype)

    def unscaled(self, loss: Tensor) -> Tensor:
        """Divides a loss by the scale.

        Args:
            loss: what `scale_loss` gave, or what was computed from it.

        Returns:
            The loss, of the same shape and dtype.
        """
        return loss / self._scale.astype(loss.dtype)

    @ts.no_grad()
    def unscale_gradients(self, parameters: Iterable[Tensor]) -> Tensor:
        """Divides gradients by the scale and says whether one is infinite or NaN.

        Args:
            parameters: whose gradients; those without one are skipped.

        Returns:
            Bool, shape (): what `optimizer.step(skip=...)` and `update` take.
        """
        overflow = ts.zeros((), dtype=ts.bool, device=self._scale.device)
        inverse = 1.0 / self._scale
        for parameter in parameters:
            grad = parameter.grad
            if grad is not None:
                overflow = ts.logical_or(overflow, ts.any(ts.logical_not(ts.isfinite(grad))))
                wide = grad.astype(ts.result_type(grad.dtype, ts.float32))
                parameter.grad = (wide * inverse.astype(wide.dtype)).astype(grad.dtype)
        return overflow

    @ts.no_grad()
    def update(self, overflow: Tensor | bool) -> None:
        """Adapts the scale after a step.

        Args:
            overflow: whether a gradient was infinite or NaN; bool, shape ().
        """
        flag = ts.asarray(overflow, device=self._scale.device)
        count = ts.where(flag, 0, self._clean + 1)
        due = ts.greater_equal(count, self._interval)
        lower, higher = ts.maximum(self._scale * 0.5, 1.0), ts.minimum(self._scale * 2.0, self._highest)
        self._scale.copy_(ts.where(flag, lower, ts.where(due, higher, self._scale)))
        self._clean.copy_(ts.where(due, 0, count).astype(ts.int32))

    def state_dict(self) -> dict[str, Any]:
        """Takes a snapshot: `scale`, and `clean_steps`, the steps since the last overflow or doubling."""
        return {"scale": float(self._scale), "clean_steps": int(self._clean)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state_dict` gave.

        Args:
            state: the snapshot.

        Raises:
            ArgumentError: no snapshot of a scaler.
        """
        scale, clean = state.get("scale"), state.get("clean_steps")
        if not isinstance(scale, float) or not 1 <= scale < math.inf or not isinstance(clean, int) or clean < 0:
            raise worded(
                ArgumentError,
                _OP,
                "a snapshot has a scale and a count",
                expected="scale, a float of at least 1, and clean_steps, a whole number of at least 0",
                got=shown(cast(object, dict(state))),
                step="pass what state_dict gave",
            )
        self._scale.copy_(scale)
        self._clean.copy_(clean)


class ScaledLoss:
    """A loss times the scale of a scaler.

    Args:
        main: the loss; it decides how much a batch counts.
        scaler: has the scale.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> from trainsmith.training.strategies import LossScaler, ScaledLoss
        >>> float(ScaledLoss(nn.MSELoss(), LossScaler(8.0))(ts.asarray([3.0]), ts.asarray([1.0])))
        32.0
    """

    def __init__(self, main: Any, scaler: LossScaler) -> None:
        self.main = main
        self.scaler = scaler

    def __call__(self, output: Any, targets: Tensor) -> Tensor:
        """Computes the scaled loss of output and targets."""
        return self.scaler.scale_loss(self.main(output, targets))
