"""The rows of one part of a split as arrays, and what a model makes of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith import nn
from trainsmith.training._metrics import (
    Metrics,
    classification_metrics,
    cross_entropy,
    mean_squared_error,
    regression_metrics,
    softmax,
)

_ROWS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """Inputs, targets and weights of some rows.

    Args:
        x: inputs, shape (rows, features) or (rows, steps, features), float32 or float64.
        y: class numbers, shape (rows,), int64; or standardised numbers, shape (rows, 1), the dtype of x.
        weight: weight of each row in the loss, shape (rows,), mean 1, the dtype of x; None for equal weights.

    Example:
        >>> import numpy as np
        >>> Arrays(x=np.zeros((2, 3)), y=np.array([0, 1])).task
        'classification'
    """

    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.int64] | npt.NDArray[np.floating]
    weight: npt.NDArray[np.floating] | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.x.shape[0]

    @property
    def task(self) -> Literal["classification", "regression"]:
        """What the targets are."""
        return "classification" if self.y.dtype.kind == "i" else "regression"


def outputs_of(model: nn.Module, x: npt.NDArray[np.floating], device: str = "cpu") -> npt.NDArray[np.float64]:
    """Runs a model in evaluation mode, without gradients, a few thousand rows at a time.

    Args:
        model: from shape (rows, features) to (rows, outputs); it is left in evaluation mode.
        x: inputs, shape (rows, features), the model's dtype.
        device: where the model is.

    Returns:
        Shape (rows, outputs), float64.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> outputs_of(nn.Linear(3, 2), np.zeros((5, 3), dtype="float32")).shape
        (5, 2)
    """
    model.eval()
    with ts.no_grad():
        parts = [
            np.asarray(model(ts.asarray(x[start : start + _ROWS], device=device))).astype(np.float64)
            for start in range(0, x.shape[0], _ROWS)
        ]
    return np.concatenate(parts)


def evaluate(
    model: nn.Module, arrays: Arrays, *, device: str = "cpu", mean: float = 0.0, std: float = 1.0
) -> tuple[float, Metrics]:
    """Measures loss and metrics of a model.

    Args:
        model: the model; it is left in evaluation mode.
        arrays: at least one row.
        device: where the model is.
        mean: mean of the regression target, to give metrics in its unit.
        std: standard deviation of the regression target.

    Returns:
        The loss that training minimises, and the metrics by name. Metrics do not use the weights. NaN and no metrics
        where an output is not finite.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> loss, metrics = evaluate(nn.Linear(3, 2), Arrays(x=np.zeros((2, 3), "float32"), y=np.array([0, 1])))
        >>> metrics["accuracy"]
        0.5
    """
    weight = None if arrays.weight is None else arrays.weight.astype(np.float64)
    outputs = outputs_of(model, arrays.x, device)
    if not np.isfinite(outputs).all():
        return float("nan"), {}
    if arrays.task == "classification":
        classes = arrays.y.astype(np.int64)
        return cross_entropy(outputs, classes, weight), classification_metrics(softmax(outputs), classes)
    predicted, true = outputs[:, 0], arrays.y[:, 0].astype(np.float64)
    loss = mean_squared_error(predicted, true, weight)
    return loss, regression_metrics(predicted * std + mean, true * std + mean)
