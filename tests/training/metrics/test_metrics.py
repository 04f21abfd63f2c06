import math
import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

import trainsmith as ts
from trainsmith.errors import ConfigError, DataError, NotRegistered, ShapeError
from trainsmith.training import metrics
from trainsmith.training.metrics import METRICS, ConfusionMatrix, Metric, MetricSet, Pinball, Precision, make_metric

REGRESSION = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "pearson": lambda t, p: scipy.stats.pearsonr(t, p).statistic,
    "spearman": lambda t, p: scipy.stats.spearmanr(t, p).statistic,
    "pinball": lambda t, p: sk.mean_pinball_loss(t, p, alpha=0.5),
}
CLASSES = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    **{
        f"{name}_{average}": lambda t, p, score=score, average=average: score(t, p, average=average, zero_division=0)
        for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score))
        for average in ("macro", "micro")
    },
}
SCORES = {"roc_auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}
SIZES = st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) >= 3)
SEEDS = st.integers(0, 2**32 - 1)


def streamed(metric, sizes, predictions, targets):
    start = 0
    for size in sizes:
        metric.update(predictions[start : start + size], targets[start : start + size])
        start += size
    return metric.compute()


def quiet(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args)


def test_every_metric_is_compared():
    assert set(METRICS) == {*REGRESSION, *CLASSES, *SCORES, "log_loss"}
    assert all(isinstance(make_metric(name), Metric) for name in METRICS)


@pytest.mark.parametrize("name", REGRESSION)
@given(SIZES, SEEDS, st.booleans())
def test_regression_over_uneven_batches(name, sizes, seed, tied):
    generator = np.random.default_rng(seed)
    p, t = generator.normal(50, 3, size=(2, sum(sizes)))
    if tied:
        p, t = p.round(), t.round()
    found = streamed(make_metric(name), sizes, p, t)
    expected = quiet(REGRESSION[name], t, p)
    if name in ("r2", "pearson", "spearman") and (np.ptp(t) == 0 or (name != "r2" and np.ptp(p) == 0)):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", CLASSES)
@given(SIZES, SEEDS, st.integers(1, 5))
def test_classes_over_uneven_batches(name, sizes, seed, count):
    generator = np.random.default_rng(seed)
    p, t = generator.integers(0, count, size=(2, sum(sizes)))
    expected = quiet(CLASSES[name], t, p)
    assert streamed(make_metric(name), sizes, p, t) == pytest.approx(expected, abs=1e-12)
    if count > 1:
        scores = np.eye(count)[p] + generator.uniform(0, 0.5, (p.size, count))
        assert streamed(make_metric(name), sizes, scores, t[:, None]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
@given(SIZES, SEEDS, st.booleans())
def test_areas_over_uneven_batches(name, sizes, seed, tied):
    generator = np.random.default_rng(seed)
    p, t = generator.uniform(size=sum(sizes)), generator.integers(0, 2, sum(sizes))
    if tied:
        p = p.round(1)
    found = streamed(make_metric(name), sizes, p, t)
    if t.sum() == 0 or (name == "roc_auc" and t.sum() == t.size):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(SCORES[name](t, p), abs=1e-12)
        pairs = np.stack([1 - p, p], axis=1)
        assert streamed(make_metric(name), sizes, pairs, t) == found


@given(SIZES, SEEDS, st.integers(2, 5))
def test_log_loss_over_uneven_batches(sizes, seed, count):
    generator = np.random.default_rng(seed)
    p, t = generator.dirichlet(np.ones(count), sum(sizes)), generator.integers(0, count, sum(sizes))
    found = streamed(make_metric("log_loss"), sizes, p, t)
    assert found == pytest.approx(sk.log_loss(t, p, labels=range(count)), rel=1e-9)
    if count == 2:
        assert streamed(make_metric("log_loss"), sizes, p[:, 1], t) == pytest.approx(found, rel=1e-9)


@given(SIZES, SEEDS)
def test_the_confusion_matrix_over_uneven_batches(sizes, seed):
    p, t = np.random.default_rng(seed).integers(0, 4, size=(2, sum(sizes)))
    assert np.array_equal(streamed(ConfusionMatrix(4), sizes, p, t), sk.confusion_matrix(t, p, labels=range(4)))
    grown = streamed(ConfusionMatrix(), sizes, p, t)
    assert np.array_equal(grown, sk.confusion_matrix(t, p, labels=range(len(grown))))


def test_large_offsets_do_not_cancel():
    t = 1e9 + np.random.default_rng(0).normal(size=1000)
    p = t + 0.1
    expected = 1 - 1000 * 0.01 / ((t - t.mean()) ** 2).sum()
    assert streamed(make_metric("r2"), [7] * 142 + [6], p, t) == pytest.approx(expected, rel=1e-6)
    assert streamed(make_metric("pearson"), [7] * 142 + [6], p, t) == pytest.approx(1.0, abs=1e-9)


def test_several_outputs_are_averaged():
    p, t = np.random.default_rng(0).normal(size=(2, 9, 3))
    for name in ("mse", "mae", "r2"):
        assert streamed(make_metric(name), [4, 5], p, t) == pytest.approx(REGRESSION[name](t, p))


def test_quantiles_of_the_specification():
    metric = Pinball([0.1, 0.5, 0.9])
    metric.update([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [2.0, -1.0])
    assert metric.compute() == pytest.approx(0.2833333333)


def test_binary_averages_score_class_one():
    p, t = np.array([1, 1, 0, 0, 1]), np.array([1, 0, 1, 0, 1])
    for name in ("Precision", "Recall", "F1"):
        metric = getattr(metrics, name)("binary")
        metric.update(p, t)
        score = {"Precision": sk.precision_score, "Recall": sk.recall_score, "F1": sk.f1_score}[name]
        assert metric.compute() == pytest.approx(score(t, p))
    metric = Precision("binary")
    metric.update([0, 0], [0, 0])
    assert metric.compute() == 0
    metric.update([2], [2])
    with pytest.raises(DataError, match="two classes"):
        metric.compute()


def test_tensors_are_taken_and_reset_forgets():
    scores = MetricSet(["mse", "r2"])
    scores.update(ts.asarray(np.array([1.0, 2.0])), ts.asarray(np.array([1.0, 4.0])))
    first = scores.compute()
    scores.reset()
    scores.update([1.0, 2.0], [1.0, 4.0])
    assert scores.compute() == first == {"mse": 2.0, "r2": pytest.approx(1 - 4 / 4.5)}


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_have_no_value(name):
    with pytest.raises(DataError, match=r"needs rows|at least 1 row"):
        make_metric(name).compute()


@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "r2", "pearson", "spearman", "pinball"])
def test_shapes_that_would_broadcast_are_refused(name):
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        make_metric(name).update(np.zeros((3, 1)), np.zeros(3))


@pytest.mark.parametrize(
    ("error", "name", "predictions", "targets"),
    [
        (ShapeError, "accuracy", [0, 1], [[1, 0], [0, 1]]),
        (ShapeError, "accuracy", np.zeros((2, 2, 2)), [0, 1]),
        (DataError, "accuracy", [0, -1], [0, 1]),
        (DataError, "accuracy", [0.5, 1.5], [0, 1]),
        (DataError, "accuracy", [[0.5, np.nan]], [0]),
        (DataError, "accuracy", [0, 1], [0.5, 1]),
        (DataError, "roc_auc", [0.1, np.nan], [0, 1]),
        (DataError, "roc_auc", [0.1, 0.2], [0, 2]),
        (ShapeError, "roc_auc", np.zeros((2, 3)), [0, 1]),
        (DataError, "log_loss", [[0.5, 0.6]], [0]),
        (DataError, "log_loss", [[0.5, 0.5]], [2]),
        (ShapeError, "pearson", np.zeros((2, 2)), np.zeros((2, 2))),
    ],
)
def test_what_cannot_be_scored_is_refused(error, name, predictions, targets):
    with pytest.raises(error):
        make_metric(name).update(predictions, targets)


def test_arguments_out_of_range_are_refused():
    for build in (lambda: Pinball(1.0), lambda: Pinball([]), lambda: Precision("all"), lambda: ConfusionMatrix(0)):
        with pytest.raises(ConfigError):
            build()
    with pytest.raises(NotRegistered, match="did you mean 'rmse'"):
        make_metric("rmsee")
    with pytest.raises(DataError, match="num_classes"):
        ConfusionMatrix(2).update([2], [0])
