"""Norms over groups, instances and mean squares against their formulas."""

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError

F = nn.functional


def normalised(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


@pytest.mark.parametrize("shape", [(4, 6), (2, 6, 5), (2, 6, 3, 4)])
@pytest.mark.parametrize("groups", [1, 3, 6])
def test_groups_are_normalised_apart(shape, groups):
    if groups == 6 and len(shape) == 2:
        return
    x, w, b = numbers(*shape), numbers(6, seed=1), numbers(6, seed=2)
    column = (1, 6, *[1] * (len(shape) - 2))
    want = normalised(x.reshape(shape[0], groups, -1), (2,), 1e-5).reshape(shape) * w.reshape(column) + b.reshape(
        column
    )
    f = lambda x, w, b: F.group_norm(x, groups, w, b)  # noqa: E731
    np.testing.assert_allclose(np.asarray(f(ts.asarray(x), ts.asarray(w), ts.asarray(b))), want, atol=1e-12)
    check_gradients(f, x[:2, :, ...], w, b, tolerance=1e-5)
    check_captured(f, x, w, b)


@pytest.mark.parametrize("eps", [None, 1e-3])
def test_rows_are_divided_by_their_root_mean_square(eps):
    x, w = numbers(3, 2, 4), numbers(2, 4, seed=1)
    added = np.finfo("f8").eps if eps is None else eps
    want = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + added) * w
    got = F.rms_norm(ts.asarray(x), (2, 4), ts.asarray(w), eps)
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)
    check_gradients(lambda x, w: F.rms_norm(x, (2, 4), w, eps), x, w)


def test_running_statistics_of_instances_are_means_over_examples():
    x = numbers(3, 2, 5, 4)
    layer = nn.InstanceNorm2d(2, momentum=0.3, affine=True, track_running_stats=True, dtype=ts.float64)
    got = layer(ts.asarray(x))
    np.testing.assert_allclose(np.asarray(got), normalised(x, (2, 3), 1e-5), atol=1e-12)
    np.testing.assert_allclose(np.asarray(layer.running_mean), 0.3 * x.mean((0, 2, 3)), atol=1e-12)
    variance = x.var((2, 3), ddof=1).mean(0)
    np.testing.assert_allclose(np.asarray(layer.running_var), 0.7 + 0.3 * variance, atol=1e-12)
    layer.eval()
    mean, spread = (np.asarray(s).reshape(1, 2, 1, 1) for s in (layer.running_mean, layer.running_var))
    np.testing.assert_allclose(np.asarray(layer(ts.asarray(x))), (x - mean) / np.sqrt(spread + 1e-5), atol=1e-12)


def test_instances_need_no_batch_axis():
    x = numbers(2, 9)
    got = nn.InstanceNorm1d(2, dtype=ts.float64)(ts.asarray(x))
    np.testing.assert_allclose(np.asarray(got), normalised(x, (1,), 1e-5), atol=1e-12)


@pytest.mark.parametrize(("name", "shape"), [("2d", (4, 3, 5, 2)), ("3d", (4, 3, 2, 2, 3))])
def test_batch_norms_of_images_and_volumes(name, shape):
    x = numbers(*shape)
    layer = getattr(nn, f"BatchNorm{name}")(3, dtype=ts.float64)
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(np.asarray(layer(ts.asarray(x))), normalised(x, axes, 1e-5), atol=1e-12)
    np.testing.assert_allclose(np.asarray(layer.running_mean), 0.1 * x.mean(axes), atol=1e-12)
    state = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(layer.state_dict()) == state
    with pytest.raises(ShapeError, match=r"\(n, 3, "):
        layer(ts.ones((4, 3)))


REFUSED = {
    "groups of channels": (lambda: nn.GroupNorm(4, 6), ArgumentError),
    "groups of an input": (lambda: F.group_norm(ts.ones((2, 6)), 4), ShapeError),
    "weight of channels": (lambda: F.group_norm(ts.ones((2, 6)), 3, ts.ones(3)), ShapeError),
    "trailing axes": (lambda: F.rms_norm(ts.ones((2, 6)), (5,)), ShapeError),
    "one value": (lambda: F.instance_norm(ts.ones((2, 6, 1))), ArgumentError),
    "no statistics": (lambda: F.instance_norm(ts.ones((2, 6, 3)), use_input_stats=False), ArgumentError),
    "channels": (lambda: nn.InstanceNorm1d(3)(ts.ones((2, 4, 5))), ShapeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
