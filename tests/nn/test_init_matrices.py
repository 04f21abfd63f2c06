"""Start values with a structure."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3), (2, 3, 2)])
def test_rows_or_columns_are_orthogonal(shape):
    w = np.asarray(nn.init.orthogonal_(ts.zeros(shape, dtype=ts.float64), gain=2.0)).reshape(shape[0], -1)
    small = w.T @ w if w.shape[0] > w.shape[1] else w @ w.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_matrices_are_drawn_evenly():
    ts.manual_seed(0)
    corners = [float(nn.init.orthogonal_(ts.zeros((2, 2)))[0, 0]) for _ in range(400)]
    assert np.mean(corners) == pytest.approx(0, abs=0.1)
    assert np.mean(np.square(corners)) == pytest.approx(0.5, abs=0.1)


def test_the_generator_decides():
    draws = []
    for _ in range(2):
        ts.manual_seed(5)
        draws.append(np.asarray(nn.init.sparse_(ts.zeros((6, 4)), 0.3)))
    np.testing.assert_array_equal(*draws)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_each_column_is_zero(sparsity):
    w = np.asarray(nn.init.sparse_(ts.ones((10, 50)), sparsity, std=3.0))
    assert ((w == 0).sum(0) == np.ceil(sparsity * 10)).all()
    if sparsity < 0.5:
        assert w[w != 0].std() == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 2, 3, 5), (2, 4, 1, 3, 3)])
def test_dirac_kernels_hand_channels_on(shape, groups):
    w = nn.init.dirac_(ts.zeros(shape), groups)
    sizes = (7,) * (len(shape) - 2)
    x = np.random.default_rng(0).normal(size=(1, shape[1] * groups, *sizes)).astype("f4")
    conv = {3: nn.functional.conv1d, 4: nn.functional.conv2d, 5: nn.functional.conv3d}[len(shape)]
    y = np.asarray(conv(ts.asarray(x), w, padding=tuple(k // 2 for k in shape[2:]), groups=groups))
    each, handed = shape[0] // groups, min(shape[0] // groups, shape[1])
    for group in range(groups):
        start, source = group * each, group * shape[1]
        np.testing.assert_array_equal(y[:, start : start + handed], x[:, source : source + handed])
        assert not y[:, start + handed : start + each].any()


def test_the_identity():
    layer = nn.Linear(3, 3, bias=False)
    nn.init.eye_(layer.weight)
    np.testing.assert_array_equal(np.asarray(layer.weight), np.eye(3))


REFUSED = {
    "axes of an identity": (lambda: nn.init.eye_(ts.zeros(3)), ShapeError),
    "axes of a kernel": (lambda: nn.init.dirac_(ts.zeros((3, 3))), ShapeError),
    "groups": (lambda: nn.init.dirac_(ts.zeros((3, 3, 3)), 2), ArgumentError),
    "axes of a matrix": (lambda: nn.init.orthogonal_(ts.zeros(3)), ShapeError),
    "axes of a sparse matrix": (lambda: nn.init.sparse_(ts.zeros((2, 2, 2)), 0.1), ShapeError),
    "share": (lambda: nn.init.sparse_(ts.zeros((2, 2)), 1.5), ArgumentError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
