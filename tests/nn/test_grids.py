"""Transposed convolutions, resizing, borders and pixels against plain loops."""

import itertools

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError

F = nn.functional
SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}

# Sizes, kernel, stride, padding, output_padding, groups, dilation.
SPREADS = [
    ((5,), (3,), (1,), (0,), (0,), 1, (1,)),
    ((5,), (4,), (3,), (2,), (2,), 2, (1,)),
    ((4, 3), (3, 2), (2, 1), (1, 0), (1, 0), 1, (1, 1)),
    ((3, 4), (2, 3), (2, 3), (0, 2), (0, 2), 2, (3, 2)),
    ((2, 3, 2), (2, 2, 3), (2, 1, 2), (0, 1, 1), (1, 0, 0), 1, (1, 1, 1)),
]


def spread(x, w, stride, padding, extra, groups, dilation):
    batch, channels, *sizes = x.shape
    outputs, kernel = w.shape[1], w.shape[2:]
    options = list(zip(sizes, kernel, stride, padding, extra, dilation, strict=True))
    full = [(size - 1) * s + d * (k - 1) + 1 + e for size, k, s, _, e, d in options]
    y = np.zeros((batch, outputs * groups, *full))
    for n, c, place, k in itertools.product(range(batch), range(channels), np.ndindex(*sizes), np.ndindex(*kernel)):
        group = c // (channels // groups)
        to = tuple(p * s + i * d for p, i, s, d in zip(place, k, stride, dilation, strict=True))
        for o in range(outputs):
            y[(n, group * outputs + o, *to)] += w[(c, o, *k)] * x[(n, c, *place)]
    cut = tuple(slice(p, size - p) for p, size in zip(padding, full, strict=True))
    return y[(slice(None), slice(None), *cut)]


@pytest.mark.parametrize(("sizes", "kernel", "stride", "padding", "extra", "groups", "dilation"), SPREADS)
def test_transposed_convolutions_spread_each_input(sizes, kernel, stride, padding, extra, groups, dilation):
    x, w, bias = numbers(2, 4, *sizes), numbers(4, 3, *kernel, seed=1), numbers(3 * groups, seed=2)
    want = spread(x, w, stride, padding, extra, groups, dilation) + bias.reshape(-1, *[1] * len(sizes))
    f = SPREAD[len(sizes)]
    options = (stride, padding, extra, groups, dilation)
    got = f(ts.asarray(x), ts.asarray(w), ts.asarray(bias), *options)
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)
    one = f(ts.asarray(x[0]), ts.asarray(w), ts.asarray(bias), *options)
    np.testing.assert_allclose(np.asarray(one), want[0], atol=1e-12)
    if len(sizes) < 3:
        check_gradients(lambda *given: f(*given, *options), x[:1], w, bias)
    check_captured(lambda *given: f(*given, *options), x, w, bias)


def test_it_is_the_transpose_of_a_convolution():
    x, y, w = numbers(1, 2, 7, 7), numbers(1, 3, 4, 4, seed=1), numbers(3, 2, 3, 3, seed=2)
    forward = F.conv2d(ts.asarray(x), ts.asarray(w), stride=2, padding=1)
    back = F.conv_transpose2d(ts.asarray(y), ts.asarray(w), stride=2, padding=1)
    assert float(ts.sum(forward * ts.asarray(y))) == pytest.approx(float(ts.sum(back * ts.asarray(x))))


def test_an_output_size_chooses_the_padding():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    for size in (9, 10):
        assert layer(ts.ones((1, 2, 5, 5)), output_size=(size, size)).shape == (1, 3, size, size)
    with pytest.raises(ShapeError, match=r"between \(9, 9\) and \(10, 10\)"):
        layer(ts.ones((1, 2, 5, 5)), output_size=(11, 11))


@pytest.mark.parametrize(("name", "shape"), [("1d", (2, 7)), ("2d", (2, 5, 4)), ("3d", (2, 3, 4, 2))])
def test_layers_hold_weights_of_torchs_shape(name, shape):
    layer = getattr(nn, f"ConvTranspose{name}")(2, 6, 3, stride=2, groups=2)
    axes = len(shape) - 1
    assert {key: value.shape for key, value in layer.state_dict().items()} == {
        "weight": (2, 3, *[3] * axes),
        "bias": (6,),
    }
    bound = 1 / np.sqrt(3 * 3**axes)
    assert np.abs(np.asarray(layer.weight)).max() <= bound
    assert layer(ts.ones(shape)).shape == (6, *(2 * size + 1 for size in shape[1:]))


def resized(x, size, mode, corners, factors):
    """Interpolates one axis after the other with matrices made by plain loops."""
    for axis, new in enumerate(size):
        old = x.shape[2 + axis]
        matrix = np.zeros((new, old))
        for i in range(new):
            step = 1 / factors[axis] if factors else old / new
            if mode.startswith("nearest"):
                matrix[i, min(int((i + (0.5 if mode == "nearest-exact" else 0)) * step), old - 1)] = 1
                continue
            place = i * (old - 1) / max(new - 1, 1) if corners else step * (i + 0.5) - 0.5
            if mode == "cubic":
                for k in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
                    t = abs(place - k)
                    near, far = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)
                    matrix[i, np.clip(k, 0, old - 1)] += near if t <= 1 else far
                continue
            place = max(place, 0)
            low = min(int(place), old - 1)
            matrix[i, low] += 1 - (place - low)
            matrix[i, min(low + 1, old - 1)] += place - low
        x = np.moveaxis(np.moveaxis(x, 2 + axis, -1) @ matrix.T, -1, 2 + axis)
    return x


MODES = {
    "nearest": ("nearest", (7,), None),
    "nearest down": ("nearest", (3, 2), None),
    "nearest-exact": ("nearest-exact", (4, 9), None),
    "linear": ("linear", (9,), None),
    "linear corners": ("linear", (9,), True),
    "bilinear": ("bilinear", (3, 9), False),
    "bilinear corners": ("bilinear", (8, 1), True),
    "bicubic": ("bicubic", (8, 3), False),
    "bicubic corners": ("bicubic", (8, 3), True),
    "trilinear": ("trilinear", (4, 5, 2), False),
}


@pytest.mark.parametrize(("mode", "size", "corners"), MODES.values(), ids=list(MODES))
def test_resizing_is_a_product_with_matrices(mode, size, corners):
    x = numbers(2, 2, *(5, 4, 3)[: len(size)])
    simple = mode if mode.startswith("nearest") else ("cubic" if mode == "bicubic" else "linear")
    want = resized(x, size, simple, corners, None)
    got = F.interpolate(ts.asarray(x), size, mode=mode, align_corners=corners)
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)
    check_gradients(lambda x: F.interpolate(x, size, mode=mode, align_corners=corners), x[:1])
    check_captured(lambda x: F.interpolate(x, size, mode=mode, align_corners=corners), x)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_a_factor_is_the_distance_of_outputs_unless_it_is_made_anew(mode):
    x = numbers(1, 1, 5, 4)
    simple = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    got = nn.Upsample(scale_factor=1.7, mode=mode)(ts.asarray(x))
    np.testing.assert_allclose(np.asarray(got), resized(x, (8, 6), simple, None, (1.7, 1.7)), atol=1e-6)
    got = F.interpolate(ts.asarray(x), scale_factor=(1.7, 1.5), mode=mode, recompute_scale_factor=True)
    np.testing.assert_allclose(np.asarray(got), resized(x, (8, 6), simple, None, None), atol=1e-6)


def test_area_is_the_mean_of_bins():
    x = ts.asarray(numbers(1, 2, 5, 7))
    got = F.interpolate(x, (3, 4), mode="area")
    np.testing.assert_array_equal(np.asarray(got), np.asarray(F.adaptive_avg_pool2d(x, (3, 4))))


NUMPY_MODES = {"Zero": "constant", "Reflection": "reflect", "Replication": "edge", "Circular": "wrap"}


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", NUMPY_MODES)
def test_border_layers_are_numpys(kind, axes):
    x, sizes = numbers(2, 3, 4, 5, 6)[(slice(None),) * (axes + 2)], [1, 2, 2, 0, 1, 3][: 2 * axes]
    x = x.reshape(2, 3, *x.shape[2 : 1 + axes], -1)
    pairs = [(sizes[2 * i], sizes[2 * i + 1]) for i in reversed(range(axes))]
    got = getattr(nn, f"{kind}Pad{axes}d")(sizes)(ts.asarray(x))
    np.testing.assert_array_equal(np.asarray(got), np.pad(x, [(0, 0), (0, 0), *pairs], mode=NUMPY_MODES[kind]))


def test_pixels_and_channels_change_places_and_back():
    x = numbers(2, 8, 3, 5)
    r, (n, c, h, w) = 2, x.shape
    want = np.zeros((n, c // 4, h * r, w * r))
    for i, j in itertools.product(range(r), range(r)):
        want[:, :, i::r, j::r] = x[:, r * i + j :: 4]
    shuffled = nn.PixelShuffle(2)(ts.asarray(x))
    np.testing.assert_array_equal(np.asarray(shuffled), want)
    np.testing.assert_array_equal(np.asarray(nn.PixelUnshuffle(2)(shuffled)), x)


REFUSED = {
    "output padding": (
        lambda: F.conv_transpose1d(ts.ones((1, 3)), ts.ones((1, 1, 2)), output_padding=1),
        ArgumentError,
    ),
    "kernel axes": (lambda: F.conv_transpose2d(ts.ones((1, 3, 3)), ts.ones((1, 1, 2))), ShapeError),
    "groups": (lambda: F.conv_transpose1d(ts.ones((3, 3)), ts.ones((3, 1, 2)), groups=2), ShapeError),
    "bias": (lambda: F.conv_transpose1d(ts.ones((1, 3)), ts.ones((1, 2, 2)), ts.ones(1)), ShapeError),
    "mode": (lambda: F.interpolate(ts.ones((1, 1, 3)), 2, mode="lanczos"), ArgumentError),
    "axes of a mode": (lambda: F.interpolate(ts.ones((1, 1, 3)), 2, mode="bilinear"), ShapeError),
    "corners of nearest": (lambda: F.interpolate(ts.ones((1, 1, 3)), 2, align_corners=True), ArgumentError),
    "size and factor": (lambda: F.interpolate(ts.ones((1, 1, 3)), 2, 2.0), ArgumentError),
    "neither": (lambda: F.interpolate(ts.ones((1, 1, 3))), ArgumentError),
    "antialias": (lambda: F.interpolate(ts.ones((1, 1, 3)), 2, mode="linear", antialias=True), ArgumentError),
    "vanishing size": (lambda: F.interpolate(ts.ones((1, 1, 3)), scale_factor=0.1), ShapeError),
    "channels": (lambda: F.pixel_shuffle(ts.ones((3, 2, 2)), 2), ShapeError),
    "pixels": (lambda: F.pixel_unshuffle(ts.ones((3, 3, 2)), 2), ShapeError),
    "sides": (lambda: nn.ZeroPad2d((1, 2)), ArgumentError),
    "axes of a border": (lambda: nn.ReflectionPad2d(1)(ts.ones((3, 3))), ShapeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()


def test_an_axis_that_keeps_its_size_is_copied_whatever_the_scale():
    x = numbers(1, 2, 3, 4)
    got = np.asarray(F.interpolate(ts.asarray(x), scale_factor=(1.2, 2.0), mode="bilinear"))
    want = np.asarray(F.interpolate(ts.asarray(x), size=(3, 8), mode="bilinear"))
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_upsampling_layers_are_interpolations():
    x = ts.asarray(numbers(2, 3, 4, 5))
    near = nn.UpsamplingNearest2d(scale_factor=2)(x)
    np.testing.assert_array_equal(near, np.asarray(x).repeat(2, axis=2).repeat(2, axis=3))
    smooth = nn.UpsamplingBilinear2d(size=(7, 9))(x)
    np.testing.assert_array_equal(smooth, F.interpolate(x, (7, 9), mode="bilinear", align_corners=True))
    np.testing.assert_allclose(np.asarray(smooth)[..., [0, -1], 0], np.asarray(x)[..., [0, -1], 0])
