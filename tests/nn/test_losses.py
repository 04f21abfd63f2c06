"""The losses of torch against their formulas: values, reductions, weights, kinks, extremes, modules, captured twins."""

import numpy as np
import pytest
from scipy import special
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError

F = nn.functional
N, C = 6, 4
X, Y = numbers(N, C), numbers(N, C, seed=1)
P, Q = special.expit(X), special.expit(Y)
SIGNS = np.array([1, -1, -1, 1, 1, -1])
GRID = np.where(Y > 0, 1.0, -1.0)
CLASSES = np.array([3, 0, 1, 1, 2, 0])
WEIGHT = special.expit(numbers(C, seed=2))
LISTS = np.array([[0, 1, -1, 2], [3, -1, 0, 0], [-1, 0, 1, 2], [0, 1, 2, 3], [2, -1, -1, -1], [1, 0, 3, -1]])


def softplus(x):
    return np.logaddexp(0, x)


def bowl(e, d):
    return np.where(np.abs(e) < d, e * e / 2, d * (np.abs(e) - d / 2))


def cosine(x, y):
    return (x * y).sum(-1) / np.sqrt(((x * x).sum(-1) + 1e-12) * ((y * y).sum(-1) + 1e-12))


def distance(x, y, p=2.0):
    return np.linalg.norm(x - y + 1e-6, p, axis=-1)


def hinges(x, y, p, margin):
    rows = []
    for row, truth in zip(x, y, strict=True):
        short = np.maximum(margin - row[truth] + row, 0) ** p
        rows.append((short.sum() - short[truth]) / row.size)
    return np.array(rows)


def many_hinges(x, lists):
    rows = []
    for row, named in zip(x, lists, strict=True):
        true = [*named[: np.argmax(named < 0)]] if (named < 0).any() else [*named]
        false = [c for c in range(row.size) if c not in true]
        rows.append(sum(max(0, 1 - row[j] + row[i]) for j in true for i in false) / row.size)
    return np.array(rows, "f8")


STIRLING = np.where(P * 5 > 1, P * 5 * np.log(P * 5) - P * 5 + np.log(2 * np.pi * P * 5) / 2, 0)
Z = numbers(N, C, seed=3)

# name, arrays, options, losses before the reduction, module, how many of the arrays have a derivative
ROWS = [
    ("mse_loss", (X, Y), {}, (X - Y) ** 2, nn.MSELoss, 2),
    ("l1_loss", (X, Y), {}, np.abs(X - Y), nn.L1Loss, 2),
    ("huber_loss", (X, Y), {"delta": 0.8}, bowl(X - Y, 0.8), nn.HuberLoss, 2),
    ("smooth_l1_loss", (X, Y), {"beta": 0.5}, bowl(X - Y, 0.5) / 0.5, nn.SmoothL1Loss, 2),
    ("smooth_l1_loss", (X, Y), {"beta": 0.0}, np.abs(X - Y), nn.SmoothL1Loss, 2),
    ("binary_cross_entropy", (P, Q), {}, -(Q * np.log(P) + (1 - Q) * np.log(1 - P)), nn.BCELoss, 2),
    ("binary_cross_entropy_with_logits", (X, Q), {}, softplus(X) - Q * X, nn.BCEWithLogitsLoss, 2),
    ("soft_margin_loss", (X, GRID), {}, softplus(-GRID * X), nn.SoftMarginLoss, 1),
    ("multilabel_soft_margin_loss", (X, Q), {}, (softplus(X) - Q * X).mean(1), nn.MultiLabelSoftMarginLoss, 2),
    ("kl_div", (np.log(P), Q), {}, Q * (np.log(Q) - np.log(P)), nn.KLDivLoss, 2),
    ("kl_div", (X, Y), {"log_target": True}, np.exp(Y) * (Y - X), nn.KLDivLoss, 2),
    ("poisson_nll_loss", (X, Q), {}, np.exp(X) - Q * X, nn.PoissonNLLLoss, 2),
    ("poisson_nll_loss", (P, Q), {"log_input": False, "eps": 0.1}, P - Q * np.log(P + 0.1), nn.PoissonNLLLoss, 2),
    ("poisson_nll_loss", (X, P * 5), {"full": True}, np.exp(X) - P * 5 * X + STIRLING, nn.PoissonNLLLoss, 2),
    ("gaussian_nll_loss", (X, Y, P), {}, (np.log(P) + (X - Y) ** 2 / P) / 2, nn.GaussianNLLLoss, 3),
    (
        "gaussian_nll_loss",
        (X, Y, P[:, 0]),
        {"full": True},
        (np.log(2 * np.pi * P[:, :1]) + (X - Y) ** 2 / P[:, :1]) / 2,
        nn.GaussianNLLLoss,
        3,
    ),
    (
        "hinge_embedding_loss",
        (P, GRID),
        {"margin": 0.6},
        np.where(GRID > 0, P, np.maximum(0, 0.6 - P)),
        nn.HingeEmbeddingLoss,
        1,
    ),
    (
        "margin_ranking_loss",
        (X, Y, GRID),
        {"margin": 0.3},
        np.maximum(0, 0.3 - GRID * (X - Y)),
        nn.MarginRankingLoss,
        2,
    ),
    (
        "cosine_embedding_loss",
        (X, Y, SIGNS),
        {"margin": -0.4},
        np.where(SIGNS > 0, 1 - cosine(X, Y), np.maximum(0, cosine(X, Y) + 0.4)),
        nn.CosineEmbeddingLoss,
        2,
    ),
    ("triplet_margin_loss", (X, Y, Z), {}, np.maximum(0, distance(X, Y) - distance(X, Z) + 1), nn.TripletMarginLoss, 3),
    (
        "triplet_margin_loss",
        (X, Y, Z),
        {"margin": 2.0, "p": 3.0, "swap": True},
        np.maximum(0, distance(X, Y, 3) - np.minimum(distance(X, Z, 3), distance(Y, Z, 3)) + 2),
        nn.TripletMarginLoss,
        3,
    ),
    ("multi_margin_loss", (X, CLASSES), {}, hinges(X, CLASSES, 1, 1), nn.MultiMarginLoss, 1),
    ("multi_margin_loss", (X, CLASSES), {"p": 2, "margin": 0.5}, hinges(X, CLASSES, 2, 0.5), nn.MultiMarginLoss, 1),
    ("multilabel_margin_loss", (X, LISTS), {}, many_hinges(X, LISTS), nn.MultiLabelMarginLoss, 1),
    ("nll_loss", (X, CLASSES), {}, -X[np.arange(N), CLASSES], nn.NLLLoss, 1),
    ("cross_entropy", (X, CLASSES), {}, -special.log_softmax(X, 1)[np.arange(N), CLASSES], nn.CrossEntropyLoss, 1),
]
IDS = [f"{row[0]}-{'-'.join(row[2])}" for row in ROWS]
REDUCED = {"none": lambda a: a, "mean": np.mean, "sum": np.sum}


@pytest.mark.parametrize("reduction", REDUCED)
@pytest.mark.parametrize(("name", "arrays", "options", "want", "module", "floats"), ROWS, ids=IDS)
def test_values_slopes_modules_and_captured_twins(name, arrays, options, want, module, floats, reduction):
    options = {**options, "reduction": reduction}
    f = lambda *tensors: getattr(F, name)(*tensors, **options)  # noqa: E731
    tensors = [ts.asarray(array) for array in arrays]
    got = np.asarray(f(*tensors))
    np.testing.assert_allclose(got, REDUCED[reduction](want), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.asarray(module(**options)(*tensors)), got)
    fixed = [ts.asarray(array) for array in arrays[floats:]]
    check_gradients(lambda *given: f(*given, *fixed), *arrays[:floats])
    check_captured(f, *arrays)
    single = f(*[ts.asarray(a.astype("f4") if a.dtype.kind == "f" else a) for a in arrays])
    assert single.dtype == ts.float32
    np.testing.assert_allclose(np.asarray(single), REDUCED[reduction](want), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "arrays", "options", "want", "module", "floats"), ROWS, ids=IDS)
def test_slopes_have_slopes(name, arrays, options, want, module, floats):
    rest = [ts.asarray(array) for array in arrays[1:]]
    inner = ts.grad(lambda x: getattr(F, name)(x, *rest, **options) ** 2)
    check_gradients(inner, arrays[0], tolerance=1e-5)


@pytest.mark.parametrize(("name", "arrays", "options", "want", "module", "floats"), ROWS, ids=IDS)
def test_what_does_not_fit_is_refused(name, arrays, options, want, module, floats):
    f = getattr(F, name)
    with pytest.raises(ArgumentError, match=f"{name}: expected reduction"):
        f(*map(ts.asarray, arrays), **options, reduction="average")
    for place in range(1, min(len(arrays), 3)):
        wrong = [ts.asarray(array) for array in arrays]
        wrong[place] = ts.expand_dims(wrong[place], axis=-1)
        if name == "gaussian_nll_loss" and place == 2 and arrays[2].ndim == 1:
            continue
        with pytest.raises(ShapeError, match=f"{name}: "):
            f(*wrong, **options)


@pytest.mark.parametrize(("name", "arrays", "options", "want", "module", "floats"), ROWS, ids=IDS)
def test_what_is_not_a_number_shows(name, arrays, options, want, module, floats):
    x = arrays[0].copy()
    x[1] = np.nan
    got = getattr(F, name)(ts.asarray(x), *map(ts.asarray, arrays[1:]), **options)
    assert np.isnan(float(got))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_weighted_means_of_distances_are_divided_by_the_weights(name):
    f, x, y, w = getattr(F, name), *map(ts.asarray, (X, Y, WEIGHT))
    each = np.asarray(f(x, y, reduction="none")) * WEIGHT
    np.testing.assert_allclose(np.asarray(f(x, y, weight=w, reduction="none")), each)
    assert float(f(x, y, weight=w, reduction="sum")) == pytest.approx(each.sum())
    assert float(f(x, y, weight=w)) == pytest.approx(each.sum() / (WEIGHT.sum() * N))
    with pytest.raises(ShapeError, match="weights that broadcast"):
        f(x, y, weight=ts.ones((2, N, C)))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("binary_cross_entropy", nn.BCELoss),
        ("binary_cross_entropy_with_logits", nn.BCEWithLogitsLoss),
        ("multilabel_soft_margin_loss", nn.MultiLabelSoftMarginLoss),
    ],
)
def test_weights_of_answers_leave_the_count(name, module):
    f, x, y, w = getattr(F, name), *map(ts.asarray, (P, Q, WEIGHT))
    each = np.asarray(f(x, y, reduction="none"))
    got = np.asarray(f(x, y, w, reduction="none"))
    if name.startswith("binary"):
        np.testing.assert_allclose(got, each * WEIGHT)
    assert float(f(x, y, w)) == pytest.approx(got.mean())
    layer = module(w)
    assert float(layer(x, y)) == float(f(x, y, w))
    assert list(layer.state_dict()) == ["weight"]


def test_classes_have_weights_and_may_be_ignored():
    x, y, w = ts.asarray(X), ts.asarray(CLASSES), ts.asarray(WEIGHT)
    each = -X[np.arange(N), CLASSES] * WEIGHT[CLASSES]
    kept = CLASSES != 1
    assert float(F.nll_loss(x, y, w)) == pytest.approx(each.sum() / WEIGHT[CLASSES].sum())
    got = float(F.nll_loss(x, y, w, ignore_index=1))
    assert got == pytest.approx(each[kept].sum() / WEIGHT[CLASSES][kept].sum())
    assert float(nn.NLLLoss(w, ignore_index=1)(x, y)) == got
    assert np.asarray(F.nll_loss(x, y, w, ignore_index=1, reduction="none"))[2:4].tolist() == [0, 0]
    np.testing.assert_allclose(
        float(nn.MultiMarginLoss(weight=w)(x, y)), (hinges(X, CLASSES, 1, 1) * WEIGHT[CLASSES]).mean()
    )
    with pytest.raises(ShapeError, match=r"a weight of shape \(4,\)"):
        F.multi_margin_loss(x, y, weight=ts.ones(3))


@pytest.mark.parametrize("name", ["nll_loss", "multi_margin_loss", "multilabel_margin_loss"])
def test_a_class_out_of_range_is_refused(name):
    target = np.where(LISTS < 0, 9, LISTS) if "label" in name else CLASSES + 3
    with pytest.raises(IndexRangeError, match=name):
        getattr(F, name)(ts.asarray(X), ts.asarray(target))


def test_classes_may_have_places_or_no_batch():
    x = numbers(2, C, 3, 5)
    y = np.random.default_rng(0).integers(0, C, (2, 3, 5))
    got = F.nll_loss(ts.asarray(x), ts.asarray(y), reduction="none")
    np.testing.assert_allclose(np.asarray(got), -np.take_along_axis(x, y[:, None], 1)[:, 0])
    assert float(F.nll_loss(ts.asarray(X[0]), ts.asarray(2))) == -X[0, 2]
    single = F.multi_margin_loss(ts.asarray(X[0]), ts.asarray(3), reduction="none")
    assert single.shape == ()
    assert float(single) == pytest.approx(hinges(X[:1], CLASSES[:1], 1, 1)[0])
    assert float(F.multilabel_margin_loss(ts.asarray(X[0]), ts.asarray(LISTS[0]))) == pytest.approx(
        many_hinges(X[:1], LISTS[:1])[0]
    )
    alone = F.cosine_embedding_loss(ts.asarray(X[0]), ts.asarray(Y[0]), ts.asarray(1), reduction="none")
    assert alone.shape == ()
    assert float(alone) == pytest.approx(1 - cosine(X[0], Y[0]))


def value_and_slope(f, *points):
    x = ts.asarray(np.array(points)).requires_grad_()
    loss = f(x)
    ts.sum(loss).backward()
    return loss.tolist(), x.grad.tolist()


def test_probabilities_at_the_ends_stop_at_100():
    one, zero = ts.ones(1, dtype=ts.float64), ts.zeros(1, dtype=ts.float64)
    f = lambda y: lambda x: F.binary_cross_entropy(x, y, reduction="none")  # noqa: E731
    assert value_and_slope(f(one), 0.0) == ([100.0], [-1e12])
    assert value_and_slope(f(zero), 1.0) == ([100.0], [1e12])
    assert value_and_slope(f(one), 1.0) == ([0.0], [0.0])
    assert np.isnan(np.asarray(f(one)(ts.asarray(np.array([1.5]))))).all()
    target = ts.asarray(np.array([0.5])).requires_grad_()
    F.binary_cross_entropy(zero, target).backward()
    assert target.grad.tolist() == [100.0]


def test_scores_far_out_keep_their_loss_and_slope():
    target = ts.ones(2, dtype=ts.float64)
    expected = ([1e300, 0.0], [-1.0, 0.0])
    for name in ("soft_margin_loss", "binary_cross_entropy_with_logits"):
        assert value_and_slope(lambda x: getattr(F, name)(x, target, reduction="none"), -1e300, 1e300) == expected  # noqa: B023
    line = value_and_slope(lambda x: F.huber_loss(x, ts.zeros(2, dtype=ts.float64), reduction="none"), -1e300, 1e300)
    assert line == ([1e300, 1e300], [-1.0, 1.0])


def test_slopes_at_kinks():
    zero = ts.zeros(1, dtype=ts.float64)
    one = ts.ones(1, dtype=ts.float64)
    assert value_and_slope(lambda x: F.l1_loss(x, zero), 0.0)[1] == [0.0]
    curvature = ts.grad(lambda x: ts.sum(ts.grad(lambda y: F.smooth_l1_loss(y, zero))(x)))
    assert curvature(zero).tolist() == [1.0]
    assert value_and_slope(lambda x: F.hinge_embedding_loss(x, -one), 1.0)[1] == [-1.0]
    assert value_and_slope(lambda x: F.margin_ranking_loss(x, zero, one), 0.0)[1] == [-1.0]
    flat = value_and_slope(lambda x: F.multi_margin_loss(x, ts.asarray(0)), 1.0, 0.0)
    assert flat == (0.0, [0.0, 0.0])


def test_divergences():
    x, y = np.log(P), Q.copy()
    y[0] = 0
    got = F.kl_div(ts.asarray(x), ts.asarray(y), reduction="batchmean")
    assert float(got) == pytest.approx((special.xlogy(y, y) - y * x).sum() / N)
    assert float(nn.KLDivLoss("batchmean")(ts.asarray(x), ts.asarray(y))) == float(got)
    with pytest.raises(ShapeError, match="a batch axis"):
        F.kl_div(ts.asarray(0.0), ts.asarray(1.0), reduction="batchmean")


def test_variances_stop_at_their_least_and_pass_the_slope_on():
    x, y = ts.asarray(np.array([1.0])), ts.asarray(np.array([3.0]))
    f = lambda v: F.gaussian_nll_loss(x, y, v, eps=0.5)  # noqa: E731
    value, slope = value_and_slope(f, 0.1)
    assert value == pytest.approx((np.log(0.5) + 8) / 2)
    assert slope == pytest.approx([(1 / 0.5 - 4 / 0.25) / 2])
    assert float(F.gaussian_nll_loss(x, y, 2.0)) == pytest.approx((np.log(2) + 2) / 2)
    assert np.isnan(value_and_slope(f, -1.0)[0])
    with pytest.raises(ArgumentError, match="eps above 0"):
        F.gaussian_nll_loss(x, y, 2.0, eps=0.0)
    wide = F.gaussian_nll_loss(ts.asarray(X), ts.asarray(Y), ts.asarray(P[:, :1]))
    assert float(wide) == float(F.gaussian_nll_loss(ts.asarray(X), ts.asarray(Y), ts.asarray(P[:, 0])))


def test_distances_may_be_your_own():
    x, y, z = map(ts.asarray, (X, Y, Z))
    f = F.triplet_margin_with_distance_loss
    assert float(f(x, y, z, swap=True)) == float(F.triplet_margin_loss(x, y, z, swap=True))
    far = lambda a, b: ts.max(ts.abs(a - b), axis=1)  # noqa: E731
    reach = lambda a, b: np.abs(a - b).max(1)  # noqa: E731
    want = np.maximum(0, reach(X, Y) - np.minimum(reach(X, Z), reach(Y, Z)) + 0.5)
    layer = nn.TripletMarginWithDistanceLoss(distance_function=far, margin=0.5, swap=True, reduction="none")
    np.testing.assert_allclose(np.asarray(layer(x, y, z)), want)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: F.huber_loss(x, y, delta=0.0), "delta above 0"),
        (lambda x, y: F.smooth_l1_loss(x, y, beta=-1.0), "beta of at least 0"),
        (lambda x, y: F.triplet_margin_loss(x, y, x, margin=0.0), "margin above 0"),
        (lambda x, y: F.triplet_margin_loss(x, y, x, p=-1.0), "p of at least 0"),
        (lambda x, y: F.multi_margin_loss(x, ts.asarray(CLASSES), p=3), "p of 1 or 2"),
    ],
)
def test_options_out_of_range_are_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call(ts.asarray(X), ts.asarray(Y))
