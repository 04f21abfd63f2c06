"""Losses beyond torch: quantiles, correlations, ranks, portfolios, heads, easy examples."""

import numpy as np
import pytest
from scipy import special, stats
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError

F = nn.functional


def value_and_slope(f, *arrays):
    tensors = [ts.asarray(np.array(array, "f8")).requires_grad_() for array in arrays]
    loss = f(*tensors)
    loss.backward()
    return float(loss), np.asarray(tensors[0].grad)


def check(f, *arrays, tolerance=1e-6):
    check_gradients(f, *arrays, tolerance=tolerance)
    check_gradients(ts.grad(lambda *x: ts.sum(f(*x) ** 2)), *arrays, tolerance=10 * tolerance)
    check_captured(f, *arrays)


# Quantiles


def pinball(x, y, q):
    return np.maximum(q * (y - x), (q - 1) * (y - x))


def test_several_quantiles_have_the_reference_values():
    f = lambda x, y: F.quantile_loss(x, y, (0.1, 0.5, 0.9))  # noqa: E731
    value, slope = value_and_slope(f, [[1, 2, 3], [0, 0, 0]], [2, -1])
    assert value == pytest.approx(0.2833333333)
    want = [[-0.0166666667, -0.0833333333, 0.0166666667], [0.15, 0.0833333333, 0.0166666667]]
    np.testing.assert_allclose(slope, want, atol=1e-9)


@pytest.mark.parametrize("shape", [(), (5,), (3, 2)])
def test_quantiles_follow_their_formula(shape):
    x, y, w = numbers(*shape), numbers(*shape, seed=1), special.expit(numbers(*shape, seed=2))
    np.testing.assert_allclose(float(F.quantile_loss(ts.asarray(x), ts.asarray(y), 0.3)), pinball(x, y, 0.3).mean())
    many = numbers(*shape, 3)
    levels = (0.2, 0.5, 0.9)
    want = pinball(many, y[..., None], np.array(levels))
    f = lambda x, y, w, **options: F.quantile_loss(x, y, levels, weight=w, **options)  # noqa: E731
    args = ts.asarray(many), ts.asarray(y), ts.asarray(w)
    np.testing.assert_allclose(np.asarray(f(*args, reduction="none")), want * w[..., None])
    assert float(f(*args, reduction="sum")) == pytest.approx((want * w[..., None]).sum())
    assert float(f(*args)) == pytest.approx((want * w[..., None]).sum() / (3 * w.sum()))
    check(f, many, y, w)
    assert float(nn.QuantileLoss(levels)(*args)) == float(f(*args))


def test_quantiles_that_cross_are_put_in_order():
    x, y, levels = numbers(6, 4), numbers(6, seed=1), (0.1, 0.4, 0.6, 0.9)
    x[0] = [2.0, 1.0, 2.0, 1.0]
    f = lambda x, y: F.quantile_loss(x, y, levels, non_crossing=True)  # noqa: E731
    plain = lambda x, y: F.quantile_loss(x, y, levels)  # noqa: E731
    given, sorted_ = (ts.asarray(x), ts.asarray(y)), (ts.asarray(np.sort(x, 1)), ts.asarray(y))
    assert float(f(*given)) == pytest.approx(float(plain(*sorted_)))
    assert float(f(*given)) <= float(plain(*given))
    slopes = np.asarray(ts.grad(f)(*given))
    places = np.argsort(x, 1, kind="stable")
    np.testing.assert_allclose(np.take_along_axis(slopes, places, 1), np.asarray(ts.grad(plain)(*sorted_)))
    check_captured(f, x, y)
    assert float(nn.QuantileLoss(levels, non_crossing=True)(*given)) == float(f(*given))
    x[1, 1] = np.nan
    assert np.isnan(float(f(ts.asarray(x), ts.asarray(y))))


@pytest.mark.parametrize(
    ("quantile", "options"),
    [
        (0.0, {}),
        (1.0, {}),
        ((), {}),
        ((0.1, 1.5), {}),
        (0.5, {"non_crossing": True}),
        ((0.5, 0.1), {"non_crossing": True}),
    ],
)
def test_quantiles_out_of_range_are_refused(quantile, options):
    with pytest.raises(ArgumentError, match="quantile_loss"):
        F.quantile_loss(ts.ones((3, 2)), ts.ones(3), quantile, **options)


@pytest.mark.parametrize(
    ("x", "y", "w"), [((3, 2), (3, 1), None), ((3,), (3, 1), None), ((3, 2), (3,), (3, 2)), ((3, 2), (3,), (4,))]
)
def test_predictions_need_an_axis_for_quantiles(x, y, w):
    with pytest.raises(ShapeError, match="quantile_loss"):
        F.quantile_loss(ts.ones(x), ts.ones(y), (0.1, 0.9), weight=None if w is None else ts.ones(w))


# Correlations and ranks


def test_correlations_have_the_reference_values():
    up, down = [1.0, 2, 3, 4], [4.0, 3, 2, 1]
    assert value_and_slope(F.correlation_loss, up, up)[0] == pytest.approx(-1, abs=1e-12)
    assert value_and_slope(F.correlation_loss, down, up)[0] == pytest.approx(1, abs=1e-12)
    value, slope = value_and_slope(F.correlation_loss, [0.1, 0.4, 0.35, 0.8], [0, 0.25, 0.5, 1])
    assert value == pytest.approx(-0.9514629610107042, abs=3e-8)
    np.testing.assert_allclose(slope, [-0.00167143732, 0.45798256798, -0.40449554517, -0.05181558527], atol=4e-8)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("level", [0.0, 0.1, 1.0, 1e6, -3e-7])
def test_what_does_not_vary_has_no_correlation(dtype, level):
    flat = ts.asarray(np.full(7, level, dtype)).requires_grad_()
    other = ts.asarray(numbers(7).astype(dtype)).requires_grad_()
    for f in (F.correlation_loss, F.spearman_loss):
        for loss in (f(flat, other), f(other, flat)):
            assert float(loss) == 0.0
            loss.backward()
        assert not np.asarray(flat.grad).any()


def test_correlations_are_those_of_columns_and_weights():
    x, y, w = numbers(9, 2), numbers(9, 2, seed=1), special.expit(numbers(9, 1, seed=2))
    want = np.mean([stats.pearsonr(x[:, c], y[:, c])[0] for c in range(2)])
    assert float(F.correlation_loss(ts.asarray(x), ts.asarray(y))) == pytest.approx(-want)
    weighted = np.mean(
        [(lambda m: m[0, 1] / np.sqrt(m[0, 0] * m[1, 1]))(np.cov(x[:, c], y[:, c], aweights=w[:, 0])) for c in range(2)]
    )
    f = lambda x, y, w: F.correlation_loss(x, y, weight=w)  # noqa: E731
    args = ts.asarray(x), ts.asarray(y), ts.asarray(w)
    assert float(f(*args)) == pytest.approx(-weighted)
    assert float(nn.CorrelationLoss()(*args)) == float(f(*args))
    check(F.correlation_loss, x, y, tolerance=1e-5)
    check_gradients(f, x, y, w)
    for factor in (1e-3, 1e3):
        again = F.correlation_loss(ts.asarray(x * factor + 5), ts.asarray(y))
        assert float(again) == pytest.approx(-want)


def test_smooth_ranks_come_near_to_ranks():
    x, y = numbers(12), numbers(12, seed=1)
    y[3] = y[4]
    exact = stats.spearmanr(x, y)[0]
    near = [float(F.spearman_loss(ts.asarray(x), ts.asarray(y), temperature=t)) for t in (1e-4, 0.1)]
    assert near[0] == pytest.approx(-exact, abs=1e-6)
    assert near[1] == pytest.approx(-exact, abs=0.05)
    assert float(F.spearman_loss(ts.asarray(100 * x - 7), ts.asarray(np.exp(y)))) == pytest.approx(near[1])
    assert float(nn.SpearmanLoss(temperature=1e-4)(ts.asarray(x), ts.asarray(y))) == near[0]
    y = ts.asarray(y)
    check(lambda x: F.spearman_loss(x, y, temperature=0.5), x, tolerance=1e-5)


def test_smooth_ranks_teach_an_order():
    y = numbers(16, seed=1)
    x = ts.asarray(numbers(16)).requires_grad_()
    for _ in range(200):
        loss = F.spearman_loss(x, ts.asarray(y), temperature=0.3)
        x = (x - ts.grad(lambda x: F.spearman_loss(x, ts.asarray(y), temperature=0.3))(x)).detach()
    assert float(loss) < -0.95
    assert stats.spearmanr(np.asarray(x), y)[0] > 0.95


@pytest.mark.parametrize("f", [F.correlation_loss, F.spearman_loss])
def test_orders_need_equal_batches(f):
    for x, y in [((3,), (3, 1)), ((), ()), ((0,), (0,))]:
        with pytest.raises(ShapeError, match=f.__name__):
            f(ts.ones(x), ts.ones(y))
    assert float(f(ts.ones(1), ts.ones(1))) == 0.0
    assert np.isnan(float(f(ts.asarray([1.0, float("nan"), 2.0]), ts.asarray([1.0, 2.0, 3.0]))))
    with pytest.raises(ArgumentError, match="temperature above 0"):
        F.spearman_loss(ts.ones(3), ts.ones(3), temperature=0.0)


# Portfolios

LOGITS, RETURNS = [[0, 0], [1, 0], [0, 2]], [[0.01, 0.03], [-0.02, 0.01], [0.015, -0.005]]


def test_portfolios_have_the_reference_value():
    assert value_and_slope(F.sharpe_loss, LOGITS, RETURNS)[0] == pytest.approx(-0.13555129628644733, rel=1e-12)
    layer = nn.SharpeLoss()
    assert float(layer(ts.asarray(LOGITS), ts.asarray(RETURNS))) == pytest.approx(-0.13555129628644733, rel=1e-5)
    check(F.sharpe_loss, numbers(6, 3), numbers(6, 3, seed=1), tolerance=1e-5)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("level", [0.0, 0.01, 1.0, -5.0])
def test_returns_without_risk_have_no_ratio(dtype, level):
    x = ts.asarray(numbers(5, 3).astype(dtype)).requires_grad_()
    loss = F.sharpe_loss(x, ts.asarray(np.full((5, 3), level, dtype)))
    loss.backward()
    assert float(loss) == 0.0
    assert not np.asarray(x.grad).any()


@pytest.mark.parametrize(("x", "y"), [((3, 2), (3, 1)), ((3,), (3,)), ((0, 2), (0, 2))])
def test_portfolios_are_periods_of_assets(x, y):
    with pytest.raises(ShapeError, match="sharpe_loss"):
        F.sharpe_loss(ts.ones(x), ts.ones(y))


# Heads


def test_heads_have_the_reference_values():
    f = lambda h: F.routing_diversity_loss(h, scale=0.01)  # noqa: E731
    value, slope = value_and_slope(f, [[1, 0, 0], [1, 1, 0]])
    assert value == pytest.approx(0.007071067811860474, rel=1e-13)
    want = [[0, 0.0070710678, 0], [0.0035355339, -0.0035355339, 0]]
    np.testing.assert_allclose(slope, want, atol=1e-10)
    value, slope = value_and_slope(f, [[1, 0], [0, 1]])
    assert value == 0.0
    np.testing.assert_allclose(slope, [[0, 0.01], [0.01, 0]], atol=1e-12)
    heads = [[1, 2], [1, 2], [2, -1]]
    value, slope = value_and_slope(F.routing_diversity_loss, heads)
    assert value == pytest.approx(1 / 3)
    np.testing.assert_allclose(value_and_slope(lambda h: 2 * F.routing_diversity_loss(h), heads)[1], 2 * slope)


def test_heads_of_a_batch_are_compared_apart():
    x = numbers(3, 4, 5)
    each = [float(F.routing_diversity_loss(ts.asarray(h))) for h in x]
    assert float(nn.RoutingDiversityLoss(scale=2.0)(ts.asarray(x))) == pytest.approx(2 * np.mean(each))
    check(F.routing_diversity_loss, x)


@pytest.mark.parametrize("shape", [(1, 4), (2, 1, 4), (3, 4)])
def test_heads_that_are_alone_or_zero_are_free(shape):
    value, slope = value_and_slope(F.routing_diversity_loss, np.zeros(shape))
    assert value == 0.0
    assert not slope.any()
    with pytest.raises(ShapeError, match="routing_diversity_loss"):
        F.routing_diversity_loss(ts.ones(3))


# Easy examples


def test_questions_that_are_easy_count_less():
    x, y = numbers(5, 3), special.expit(numbers(5, 3, seed=1))
    hard = (y > 0.5) * 1.0
    p = np.where(hard > 0, special.expit(x), special.expit(-x))
    for gamma, alpha in [(2.0, None), (0.5, 0.25), (0.0, 0.7)]:
        want = -((1 - p) ** gamma) * np.log(p)
        if alpha is not None:
            want = want * np.where(hard > 0, alpha, 1 - alpha)
        f = lambda x, y: F.focal_loss(x, y, gamma=gamma, alpha=alpha)  # noqa: E731, B023
        assert float(f(ts.asarray(x), ts.asarray(hard))) == pytest.approx(want.mean())
        assert float(f(ts.asarray(x), ts.asarray(hard.astype("i8")))) == pytest.approx(want.mean())
        layer = nn.FocalLoss(gamma=gamma, alpha=alpha)
        assert float(layer(ts.asarray(x), ts.asarray(hard))) == float(f(ts.asarray(x), ts.asarray(hard)))
        check(f, x, y, tolerance=1e-5)


def test_classes_that_are_easy_count_less():
    x, y = numbers(2, 4, 3), np.random.default_rng(0).integers(0, 4, (2, 3))
    log = np.take_along_axis(special.log_softmax(x, 1), y[:, None], 1)[:, 0]
    want = -((1 - np.exp(log)) ** 1.5) * log
    alpha = special.expit(numbers(4, seed=1))
    f = lambda x, a: F.focal_loss(x, ts.asarray(y), gamma=1.5, alpha=a, reduction="none")  # noqa: E731
    np.testing.assert_allclose(np.asarray(f(ts.asarray(x), ts.asarray(alpha))), want * alpha[y])
    check(f, x, alpha, tolerance=1e-5)
    w = special.expit(numbers(2, 3, seed=2))
    got = F.focal_loss(ts.asarray(x), ts.asarray(y), gamma=1.5, alpha=0.5, weight=ts.asarray(w))
    assert float(got) == pytest.approx((0.5 * want * w).sum() / w.sum())
    one = F.focal_loss(ts.asarray(x[0, :, 0]), ts.asarray(y[0, 0]), gamma=1.5)
    assert float(one) == pytest.approx(want[0, 0])
    with pytest.raises(IndexRangeError, match="focal_loss"):
        F.focal_loss(ts.asarray(x), ts.asarray(y + 4))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_certain_answers_have_finite_slopes(gamma):
    f = lambda x: F.focal_loss(x, ts.asarray(np.array([1.0, 1.0, 0.0, 0.0])), gamma=gamma)  # noqa: E731
    value, slope = value_and_slope(f, [1000.0, -1000.0, 1000.0, -1000.0])
    assert value == 500.0
    np.testing.assert_allclose(slope, [0, -0.25, 0.25, 0], atol=1e-15)
    f = lambda x: F.focal_loss(x, ts.asarray([0, 1]), gamma=gamma)  # noqa: E731
    value, slope = value_and_slope(f, [[1000.0, 0.0], [1000.0, 0.0]])
    assert value == 500.0
    np.testing.assert_allclose(slope, [[0, 0], [0.5, -0.5]], atol=1e-15)


def test_focal_options_and_shapes_are_checked():
    with pytest.raises(ArgumentError, match="gamma of at least 0"):
        F.focal_loss(ts.ones(3), ts.ones(3), gamma=-1.0)
    for target in (ts.ones((3, 1)), ts.ones(3)):
        with pytest.raises(ShapeError, match="focal_loss"):
            F.focal_loss(ts.ones((3, 2)), target)


# Values of the original that losses of torch share


def test_squares_have_the_reference_values():
    value, slope = value_and_slope(F.mse_loss, [1, 2, 3], [1.5, 2.5, 3.5])
    assert value == 0.25
    np.testing.assert_allclose(slope, [-1 / 3] * 3)
    value, slope = value_and_slope(F.mse_loss, [[1, 2], [3, 5]], [[0, 2], [4, 1]])
    assert value == 4.5
    assert slope.tolist() == [[0.5, 0], [-0.5, 2]]
    with pytest.raises(ShapeError, match="a loss never broadcasts"):
        F.mse_loss(ts.ones((3, 1)), ts.ones(3))


def test_answers_have_the_reference_values():
    value, slope = value_and_slope(F.binary_cross_entropy, [0.9, 0.1, 0.8, 0.3], [1, 0, 1, 1])
    assert value == pytest.approx(0.40945934673894957)
    np.testing.assert_allclose(slope, [-0.2777777778, 0.2777777778, -0.3125, -0.8333333333], atol=1e-9)
    assert value_and_slope(F.binary_cross_entropy, [0.5], [1]) == (pytest.approx(0.6931471805599453), [-2.0])
    value, slope = value_and_slope(F.binary_cross_entropy_with_logits, [2, -1, 0.5], [1, 0, 0])
    assert value == pytest.approx(0.47142222758043406)
    np.testing.assert_allclose(slope, [-0.0397343073, 0.0896471405, 0.2074864437], atol=1e-10)


@pytest.mark.parametrize(
    ("scores", "labels", "value", "slope"),
    [
        (
            [[2, 1, 0.1], [0.5, 2.5, 0.3]],
            [0, 1],
            0.31853976964918573,
            [
                [-0.17049943055701605, 0.12121648535235695, 0.0492829452046591],
                [0.054301865153506185, -0.09876047210417538, 0.04445860695066913],
            ],
        ),
        ([[0, 0, 0]], [1], 1.0986122886681098, [[1 / 3, -2 / 3, 1 / 3]]),
        ([[1000, 0, -1000]], [1], 1000.0, [[1, -1, 0]]),
        ([[0, 200]], [0], 200.0, [[-1, 1]]),
    ],
)
def test_classes_have_the_reference_values(scores, labels, value, slope):
    got = value_and_slope(lambda x: F.cross_entropy(x, ts.asarray(labels)), scores)
    assert got[0] == pytest.approx(value)
    np.testing.assert_allclose(got[1], slope, atol=1e-15)
