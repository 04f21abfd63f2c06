import numpy as np
import pytest
from sklearn import metrics as reference

from trainsmith.training._metrics import (
    classification_metrics,
    cross_entropy,
    mean_squared_error,
    regression_metrics,
    softmax,
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 4])
def test_classification_agrees_with_scikit_learn(seed, count):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(60, count)).round(1)
    classes = generator.integers(0, count, 60)
    probabilities = softmax(logits)
    guessed = probabilities.argmax(axis=1)
    scores = classification_metrics(probabilities, classes)
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(classes, guessed))
    assert scores["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(classes, guessed))
    assert scores["f1_macro"] == pytest.approx(reference.f1_score(classes, guessed, average="macro"))
    assert cross_entropy(logits, classes) == pytest.approx(reference.log_loss(classes, probabilities))
    if count == 2:
        assert scores["roc_auc"] == pytest.approx(reference.roc_auc_score(classes, probabilities[:, 1]))


def test_roc_auc_does_not_exist_for_one_class():
    assert classification_metrics(np.full((3, 2), 0.5), np.array([1, 1, 1]))["roc_auc"] is None


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_regression_agrees_with_scikit_learn(scale):
    generator = np.random.default_rng(0)
    true = generator.normal(size=40)
    predicted = true + 0.3 * generator.normal(size=40)
    scores = regression_metrics(predicted * scale, true * scale)
    assert scores["r2"] == pytest.approx(reference.r2_score(true, predicted))
    assert scores["mae"] == pytest.approx(reference.mean_absolute_error(true, predicted) * scale)
    assert scores["rmse"] == pytest.approx(reference.root_mean_squared_error(true, predicted) * scale)


def test_scores_that_do_not_exist_are_none():
    assert regression_metrics(np.array([1.0]), np.array([2.0]))["r2"] is None
    assert regression_metrics(np.array([1e200, 0]), np.array([0, 1e200]))["mse"] is None


def test_weights_count_rows():
    logits, classes, weight = np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([0, 0]), np.array([1.5, 0.5])
    repeated = cross_entropy(logits[[0, 0, 0, 1]], classes[[0, 0, 0, 1]])
    assert cross_entropy(logits, classes, weight) == pytest.approx(repeated)
    predicted, true = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    assert mean_squared_error(predicted, true, weight) == pytest.approx((3 * 1 + 4) / 4)


def test_large_logits_do_not_overflow():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]])
    assert np.isfinite(softmax(logits)).all()
    assert cross_entropy(logits, np.array([0, 0])) == pytest.approx(1e4)
