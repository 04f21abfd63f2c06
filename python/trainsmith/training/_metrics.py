"""How good predictions are: losses and scores, in float64."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Metrics = dict[str, float | None]


def softmax(logits: Floats) -> Floats:
    """Turns logits into probabilities.

    Args:
        logits: shape (rows, classes).

    Returns:
        Shape (rows, classes); rows sum to 1.

    Example:
        >>> import numpy as np
        >>> softmax(np.array([[0.0, 0.0]]))
        array([[0.5, 0.5]])
    """
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def cross_entropy(logits: Floats, classes: Ints, weight: Floats | None = None) -> float:
    """Returns the mean of `log(sum(exp(logits))) - logits[class]`.

    Args:
        logits: shape (rows, classes).
        classes: the true class of each row, shape (rows,).
        weight: of each row, shape (rows,), with mean 1.

    Returns:
        The loss, in nats.

    Example:
        >>> import numpy as np
        >>> round(cross_entropy(np.zeros((3, 2)), np.array([0, 1, 0])), 4)
        0.6931
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses: Floats = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(classes.size), classes]
    return float(np.mean(losses if weight is None else losses * weight))


def mean_squared_error(predicted: Floats, true: Floats, weight: Floats | None = None) -> float:
    """Returns the mean of `(predicted - true) ** 2`.

    Args:
        predicted: shape (rows,).
        true: shape (rows,).
        weight: of each row, shape (rows,), with mean 1.

    Returns:
        The loss, in the squared unit of the values.

    Example:
        >>> import numpy as np
        >>> mean_squared_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        2.0
    """
    squares = (predicted - true) ** 2
    return float(np.mean(squares if weight is None else squares * weight))


def classification_metrics(probabilities: Floats, classes: Ints) -> Metrics:
    """Scores class probabilities.

    Args:
        probabilities: shape (rows, classes).
        classes: the true class of each row, shape (rows,).

    Returns:
        `accuracy`; `balanced_accuracy`, the mean recall of the classes that occur; `f1_macro`, over the classes that
        occur or are predicted; and with two classes `roc_auc`, None where only one of them occurs.

    Example:
        >>> import numpy as np
        >>> scores = classification_metrics(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]))
        >>> round(scores["accuracy"], 3), scores["roc_auc"]
        (0.667, 1.0)
    """
    count = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((count, count), dtype=np.int64)
    np.add.at(confusion, (classes, predicted), 1)
    hits, true, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    occurs, seen = true > 0, (true + guessed) > 0
    scores: Metrics = {
        "accuracy": float(hits.sum() / classes.size),
        "balanced_accuracy": float((hits[occurs] / true[occurs]).mean()),
        "f1_macro": float((2 * hits[seen] / (true + guessed)[seen]).mean()),
    }
    if count == 2:
        scores["roc_auc"] = roc_auc(probabilities[:, 1], classes)
    return scores


def roc_auc(score: Floats, classes: Ints) -> float | None:
    """Returns the chance that a row of class 1 scores above one of class 0, ties counting half.

    Args:
        score: shape (rows,), larger for class 1.
        classes: 0 or 1, shape (rows,).

    Returns:
        From 0 to 1; None where only one class occurs.

    Example:
        >>> import numpy as np
        >>> roc_auc(np.array([0.1, 0.4, 0.4]), np.array([0, 0, 1]))
        0.75
    """
    positive, negative = int(classes.sum()), int((1 - classes).sum())
    if not positive or not negative:
        return None
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    total = float(ranks[place][classes == 1].sum())
    return (total - positive * (positive + 1) / 2) / (positive * negative)


def regression_metrics(predicted: Floats, true: Floats) -> Metrics:
    """Scores predicted numbers.

    Args:
        predicted: shape (rows,), in the target's unit.
        true: shape (rows,), in the target's unit.

    Returns:
        `r2`, None where the true values do not vary; `rmse` and `mae` in the target's unit; and `mse`, None beyond the
        range of float64.

    Example:
        >>> import numpy as np
        >>> regression_metrics(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
        {'r2': 0.5, 'rmse': 0.7071067811865476, 'mae': 0.5, 'mse': 0.5000000000000001}
    """
    errors, deviations = predicted - true, true - true.mean()
    scale = max(float(np.abs(errors).max()), float(np.abs(deviations).max())) or 1.0
    squares = float(((errors / scale) ** 2).mean())
    spread = float(((deviations / scale) ** 2).mean())
    rmse = math.sqrt(squares) * scale
    mse = rmse * rmse
    return {
        "r2": 1 - squares / spread if spread > 0 else None,
        "rmse": rmse,
        "mae": float(np.mean(np.abs(errors))),
        "mse": mse if math.isfinite(mse) else None,
    }
