"""Activations, distances and dropout against their formulas: values, kinks, extremes, modules, captured twins."""

import numpy as np
import pytest
from scipy import special
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError

F = nn.functional
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def softplus(x):
    return np.logaddexp(0, x)


# name, options, formula, module with the same options
ROWS = [
    ("relu", {}, lambda x: np.maximum(x, 0), nn.ReLU),
    ("relu6", {}, lambda x: np.clip(x, 0, 6), nn.ReLU6),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}, lambda x: np.clip(x, -0.5, 2), nn.Hardtanh),
    ("threshold", {"threshold": 0.3, "value": -2.0}, lambda x: np.where(x > 0.3, x, -2), nn.Threshold),
    ("leaky_relu", {"negative_slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x), nn.LeakyReLU),
    ("elu", {"alpha": 1.5}, lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), nn.ELU),
    ("selu", {}, lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0))), nn.SELU),
    ("celu", {"alpha": 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0) / 0.7)), nn.CELU),
    ("softplus", {"beta": 2.0, "threshold": 30.0}, lambda x: softplus(2 * x) / 2, nn.Softplus),
    ("logsigmoid", {}, lambda x: -softplus(-x), nn.LogSigmoid),
    ("sigmoid", {}, special.expit, nn.Sigmoid),
    ("tanh", {}, np.tanh, nn.Tanh),
    ("gelu", {}, lambda x: x * special.ndtr(x), nn.GELU),
    ("silu", {}, lambda x: x * special.expit(x), nn.SiLU),
    ("mish", {}, lambda x: x * np.tanh(softplus(x)), nn.Mish),
    ("hardsigmoid", {}, lambda x: np.clip(x + 3, 0, 6) / 6, nn.Hardsigmoid),
    ("hardswish", {}, lambda x: x * np.clip(x + 3, 0, 6) / 6, nn.Hardswish),
    ("softsign", {}, lambda x: x / (1 + np.abs(x)), nn.Softsign),
    ("tanhshrink", {}, lambda x: x - np.tanh(x), nn.Tanhshrink),
    ("softshrink", {"lambd": 0.4}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.4, 0), nn.Softshrink),
    ("hardshrink", {"lambd": 0.4}, lambda x: np.where(np.abs(x) > 0.4, x, 0), nn.Hardshrink),
    ("softmax", {"axis": 0}, lambda x: special.softmax(x, 0), nn.Softmax),
    ("log_softmax", {"axis": -1}, lambda x: special.log_softmax(x, -1), nn.LogSoftmax),
    ("softmin", {"axis": 1}, lambda x: special.softmax(-x, 1), nn.Softmin),
    ("glu", {"axis": 1}, lambda x: x[:, :2] * special.expit(x[:, 2:]), nn.GLU),
]
NAMES = [row[0] for row in ROWS]
ELEMENTWISE = [row for row in ROWS if "axis" not in row[1]]
INPLACE = [row[0] for row in ROWS if "inplace" in getattr(F, row[0]).__annotations__]


@pytest.mark.parametrize(("name", "options", "formula", "module"), ROWS, ids=NAMES)
def test_values_slopes_modules_and_captured_twins(name, options, formula, module):
    x = 2.5 * numbers(3, 4)
    f = lambda x: getattr(F, name)(x, **options)  # noqa: E731
    got = np.asarray(f(ts.asarray(x)))
    np.testing.assert_allclose(got, formula(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(np.asarray(module(**options)(ts.asarray(x))), got)
    check_gradients(f, x)
    check_gradients(ts.grad(lambda x: ts.sum(f(x) * f(x))), x, tolerance=1e-5)
    check_captured(f, x)
    assert f(ts.asarray(x.astype("f4"))).dtype == ts.float32
    np.testing.assert_allclose(np.asarray(f(ts.asarray(x.astype("f4")))), formula(x), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", [row[0] for row in ELEMENTWISE])
def test_what_is_not_a_number_stays(name):
    options = dict(next(row[1] for row in ROWS if row[0] == name))
    x = ts.asarray([float("nan"), 1.0])
    assert np.isnan(np.asarray(getattr(F, name)(x, **options))).tolist() == [True, False]


@pytest.mark.parametrize("name", [row[0] for row in ELEMENTWISE])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_large_numbers_give_finite_slopes(name, dtype):
    options = dict(next(row[1] for row in ROWS if row[0] == name))
    x = ts.asarray(np.array([-1e30, -1000.0, -90.0, 0.0, 90.0, 1000.0, 1e30], dtype))
    if name == "gelu":
        x = x[1:-1]
    slope = ts.grad(lambda x: ts.sum(getattr(F, name)(x, **options)))(x)
    assert np.isfinite(np.asarray(getattr(F, name)(x, **options))).all()
    assert np.isfinite(np.asarray(slope)).all()


def slope_at(f, *points):
    return ts.grad(lambda x: ts.sum(f(x)))(ts.asarray(np.array(points))).tolist()


@pytest.mark.parametrize(
    ("f", "points", "slopes"),
    [
        (F.relu, (0.0,), [0]),
        (F.relu6, (0.0, 6.0), [0, 0]),
        (F.hardtanh, (-1.0, 1.0), [0, 0]),
        (lambda x: F.threshold(x, 1.0, 5.0), (1.0,), [0]),
        (lambda x: F.leaky_relu(x, 0.25), (0.0,), [0.25]),
        (lambda x: F.prelu(x, ts.asarray(np.array([0.25]))), (0.0,), [0.25]),
        (lambda x: F.elu(x, 0.5), (0.0,), [0.5]),
        (lambda x: F.celu(x, 0.5), (0.0,), [1.0]),
        (F.softplus, (0.0,), [0.5]),
        (F.logsigmoid, (0.0,), [0.5]),
        (F.hardsigmoid, (-3.0, 3.0), [0, 0]),
        (F.hardswish, (-3.0, 3.0), [0, 1]),
        (F.softshrink, (-0.5, 0.5), [0, 0]),
        (F.hardshrink, (-0.5, 0.5), [0, 0]),
    ],
)
def test_slopes_at_kinks(f, points, slopes):
    assert slope_at(f, *points) == slopes


def test_the_smooth_rectifier_is_exact_far_out_and_a_line_above_its_threshold():
    x = ts.asarray(np.array([1000.0, -1000.0]))
    assert F.softplus(x).tolist() == [1000.0, 0.0]
    assert F.logsigmoid(x).tolist() == [0.0, -1000.0]
    assert F.softplus(ts.asarray(np.array([2.0])), threshold=1.0).tolist() == [2.0]
    curvature = ts.grad(lambda x: ts.sum(ts.grad(lambda y: ts.sum(F.softplus(y)))(x)))
    assert curvature(ts.asarray(np.array([0.0]))).tolist() == [0.25]


@pytest.mark.parametrize("name", INPLACE)
def test_in_place_points_the_input_at_the_result(name):
    options = dict(next(row[1] for row in ROWS if row[0] == name))
    x = ts.asarray(numbers(4))
    want = getattr(F, name)(x, **options).tolist()
    assert getattr(F, name)(x, **options, inplace=True) is x
    assert x.tolist() == want


def test_integers_become_float32():
    for name, options, *_ in ELEMENTWISE:
        if not name.startswith("relu"):
            assert getattr(F, name)(ts.asarray([-1, 2]), **options).dtype == ts.float32, name


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4)])
def test_learnt_slopes_belong_to_channels(shape):
    channels = shape[1] if len(shape) > 1 else 1
    for count in {1, channels}:
        x, w = numbers(*shape), numbers(count, seed=1)
        column = w.reshape(-1, *[1] * (len(shape) - 2)) if len(shape) > 1 else w
        np.testing.assert_allclose(np.asarray(F.prelu(ts.asarray(x), ts.asarray(w))), np.where(x > 0, x, column * x))
        check_gradients(F.prelu, x, w)
        check_captured(F.prelu, x, w)
    layer = nn.PReLU(channels, init=0.1, dtype=ts.float64)
    assert layer.weight.tolist() == [0.1] * channels
    assert list(layer.state_dict()) == ["weight"]
    with pytest.raises(ShapeError, match=r"prelu: .*one slope for each channel"):
        F.prelu(ts.asarray(numbers(2, 3)), ts.asarray(numbers(2)))
    with pytest.raises(ArgumentError, match="num_parameters"):
        nn.PReLU(0)


def test_random_slopes_lie_between_their_bounds():
    x = -ts.ones(1000)
    drawn = -np.asarray(nn.RReLU(0.2, 0.4)(x))
    assert 0.2 <= drawn.min() < 0.21 < 0.39 < drawn.max() <= 0.4
    assert F.rrelu(x, 0.25, 0.75).tolist() == [-0.5] * 1000
    assert F.rrelu(ts.ones(2), training=True).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: F.hardtanh(x, 1.0, -1.0), "min_val below max_val"),
        (lambda x: F.softshrink(x, -1.0), "lambd of at least 0"),
        (lambda x: F.celu(x, 0.0), "alpha other than 0"),
        (lambda x: F.softplus(x, 0.0), "beta other than 0"),
        (lambda x: F.rrelu(x, 1.0, 0.5), "lower of at most upper"),
        (lambda x: F.normalize(x, -1.0, 0), "p of at least 0"),
        (lambda x: F.alpha_dropout(x, 1.5), r"p in \[0, 1\]"),
        (lambda x: nn.AlphaDropout(-1.0), r"p in \[0, 1\]"),
    ],
)
def test_options_out_of_range_are_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call(ts.asarray(numbers(3)))


def test_a_gate_needs_two_halves():
    with pytest.raises(ShapeError, match=r"glu: .*an even size"):
        F.glu(ts.ones(3))
    with pytest.raises(ShapeError, match="Softmax2d"):
        nn.Softmax2d()(ts.ones(3))
    assert nn.Softmax2d()(ts.ones((2, 4, 3, 3))).shape == (2, 4, 3, 3)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0, float("inf")])
def test_lengths_and_distances(p):
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    length = (lambda d: np.count_nonzero(d, axis=1)) if p == 0 else (lambda d: np.linalg.norm(d, p, axis=1))
    if p == 0.5:
        length = lambda d: np.sum(np.abs(d) ** 0.5, 1) ** 2  # noqa: E731
    got = F.normalize(ts.asarray(x), p, 1)
    np.testing.assert_allclose(np.asarray(got), x / length(x)[:, None], rtol=1e-12)
    near = lambda a, b: F.pairwise_distance(a, b, p)  # noqa: E731
    np.testing.assert_allclose(np.asarray(near(ts.asarray(x), ts.asarray(y))), length(x - y + 1e-6), rtol=1e-12)
    check_captured(near, x, y)
    if p:
        check_gradients(lambda x: F.normalize(x, p, 1), x)
        check_gradients(near, x, y)
    assert np.isfinite(np.asarray(ts.grad(lambda x: ts.sum(F.normalize(x, p, 0)))(ts.zeros(3)))).all()


def test_distances_broadcast_and_keep_an_axis_where_asked():
    x, y = numbers(3, 4), numbers(4, seed=1)
    got = F.pairwise_distance(ts.asarray(x), ts.asarray(y), eps=0.0, keepdims=True)
    np.testing.assert_allclose(np.asarray(got), np.linalg.norm(x - y, axis=1, keepdims=True))
    np.testing.assert_array_equal(
        np.asarray(nn.PairwiseDistance(eps=0.0, keepdims=True)(ts.asarray(x), ts.asarray(y))), np.asarray(got)
    )
    with pytest.raises(ShapeError, match="pairwise_distance"):
        F.pairwise_distance(ts.ones((2, 3)), ts.ones((2, 4)))


def test_cosines_of_angles():
    x, y = numbers(3, 1, 4), numbers(2, 4, seed=1)
    cosine = lambda x, y: F.cosine_similarity(x, y, axis=2)  # noqa: E731
    want = (x * y).sum(2) / np.linalg.norm(x, axis=2) / np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(np.asarray(cosine(ts.asarray(x), ts.asarray(y))), want, rtol=1e-12)
    check_gradients(cosine, x, y)
    check_captured(cosine, x, y)
    assert F.cosine_similarity(ts.zeros((1, 3)), ts.ones((1, 3))).tolist() == [0.0]
    got = nn.CosineSimilarity(axis=2)(ts.asarray(x), ts.asarray(y))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(cosine(ts.asarray(x), ts.asarray(y))))


CHANNELS = [
    (F.dropout1d, nn.Dropout1d, (8, 16, 5), 2),
    (F.dropout1d, nn.Dropout1d, (16, 5), 1),
    (F.dropout2d, nn.Dropout2d, (8, 16, 3, 2), 2),
    (F.dropout2d, nn.Dropout2d, (8, 16, 3), 2),
    (F.dropout3d, nn.Dropout3d, (8, 16, 3, 2, 2), 2),
    (F.dropout3d, nn.Dropout3d, (16, 3, 2, 2), 1),
]


@pytest.mark.parametrize(("function", "layer", "shape", "leading"), CHANNELS)
def test_whole_channels_fall(function, layer, shape, leading):
    ts.manual_seed(0)
    x = np.abs(numbers(*shape)) + 1
    got = np.asarray(layer(0.25)(ts.asarray(x)))
    rows = (got / x).reshape(*shape[:leading], -1).round(9)
    assert (rows == rows[..., :1]).all()
    assert set(np.unique(rows)) == {0.0, round(1 / 0.75, 9)}
    assert function(ts.asarray(x), training=False).tolist() == x.tolist()
    assert layer(0.5).eval()(ts.asarray(x)).tolist() == x.tolist()
    assert not np.asarray(function(ts.asarray(x), 1.0)).any()
    with pytest.raises(ShapeError, match=function.__name__):
        function(ts.ones(3))


def test_alpha_dropout_keeps_mean_and_variance():
    ts.manual_seed(0)
    x = ts.randn((200, 500), dtype=ts.float64)
    got = np.asarray(nn.AlphaDropout(0.3)(x))
    assert abs(got.mean()) < 0.02
    assert abs(got.std() - 1) < 0.02
    values, counts = np.unique(got, return_counts=True)
    assert abs(counts.max() / got.size - 0.3) < 0.01
    least = ALPHA * SCALE
    assert values[counts.argmax()] == pytest.approx(-least * 0.7 / np.sqrt(0.7 * (1 + 0.3 * least**2)))
    x = ts.ones((4, 6, 5))
    rows = np.asarray(nn.FeatureAlphaDropout(0.5)(x))
    assert (rows == rows[..., :1]).all()
    assert len(np.unique(rows)) == 2
    for name in ("alpha_dropout", "feature_alpha_dropout"):
        assert getattr(F, name)(x).tolist() == x.tolist()
        assert not np.asarray(getattr(F, name)(x, 1.0, training=True)).any()
