"""Start values: moments, bounds, repeatability."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, ShapeError

SHAPE = (80, 50)
RELU = math.sqrt(2)

# Function, mean and deviation of what it draws, and its bounds.
DRAWS = {
    "uniform_": (lambda t: nn.init.uniform_(t, -1, 3), 1.0, 4 / math.sqrt(12), (-1, 3)),
    "normal_": (lambda t: nn.init.normal_(t, 2.0, 0.5), 2.0, 0.5, (-8, 8)),
    "trunc_normal_": (lambda t: nn.init.trunc_normal_(t), 0.0, 0.8796, (-2, 2)),
    "trunc_normal_ far out": (lambda t: nn.init.trunc_normal_(t, a=2, b=4), 2.3723, 0.3317, (2, 4)),
    "xavier_uniform_": (lambda t: nn.init.xavier_uniform_(t, 2.0), 0.0, 2 * math.sqrt(2 / 130), (-0.43, 0.43)),
    "xavier_normal_": (lambda t: nn.init.xavier_normal_(t), 0.0, math.sqrt(2 / 130), (-1, 1)),
    "kaiming_uniform_": (lambda t: nn.init.kaiming_uniform_(t), 0.0, RELU / math.sqrt(50), (-0.347, 0.347)),
    "kaiming_normal_": (
        lambda t: nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"),
        0.0,
        5 / 3 / math.sqrt(80),
        (-1, 1),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("draw", "mean", "std", "bounds"), DRAWS.values(), ids=DRAWS)
def test_moments_and_bounds(draw, mean, std, bounds, dtype):
    ts.manual_seed(1)
    tensor = ts.zeros(SHAPE, dtype=getattr(ts, dtype))
    assert draw(tensor) is tensor
    values = tensor.numpy()
    assert values.dtype == dtype
    assert values.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(values.size))
    assert values.std() == pytest.approx(std, rel=0.06)
    assert bounds[0] <= values.min()
    assert values.max() <= bounds[1]


def test_draws_follow_the_seed():
    draws = []
    for _ in range(2):
        ts.manual_seed(7)
        draws.append(nn.init.normal_(ts.zeros(3)).tolist())
    assert draws[0] == draws[1]
    assert nn.init.normal_(ts.zeros(3)).tolist() != draws[0]


def test_the_truncated_normal_has_the_right_quantiles():
    ts.manual_seed(0)
    values = nn.init.trunc_normal_(ts.zeros(40000, dtype=ts.float64), a=-1, b=2).numpy()
    low, high = (math.erf(x / math.sqrt(2)) for x in (-1, 2))
    drawn = [(math.erf(x / math.sqrt(2)) - low) / (high - low) for x in np.sort(values)]
    assert np.abs(np.array(drawn) - np.arange(40000) / 40000).max() < 0.01


def test_the_inverse_of_erf_is_exact():
    for a, b in ((-0.1, 0.1), (-6, 6), (3, 5)):
        values = nn.init.trunc_normal_(ts.zeros(1000, dtype=ts.float64), a=a, b=b).numpy()
        assert np.isfinite(values).all()
        assert values.min() >= a
        assert values.max() <= b


def test_constants():
    for write, value in ((nn.init.zeros_, 0.0), (nn.init.ones_, 1.0), (lambda t: nn.init.constant_(t, 2.5), 2.5)):
        assert write(ts.asarray([7.0, 8.0])).tolist() == [value, value]
    assert nn.init.constant_(ts.asarray([1, 2]), 3).tolist() == [3, 3]


def test_parameters_are_written_in_place_without_a_tape():
    param = nn.Parameter(ts.zeros((2, 2)))
    assert nn.init.kaiming_uniform_(param) is param
    assert param.is_leaf
    assert param.requires_grad
    assert param.grad is None


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [("linear", None, 1), ("relu", None, RELU), ("tanh", None, 5 / 3), ("leaky_relu", 1.0, 1), ("selu", None, 0.75)],
)
def test_gains(name, param, gain):
    assert nn.init.calculate_gain(name, param) == pytest.approx(gain)


def test_what_is_refused():
    with pytest.raises(ArgumentError, match="a nonlinearity among"):
        nn.init.calculate_gain("cosine")
    with pytest.raises(ShapeError, match=r"a weight of shape \(out, in, ...\)"):
        nn.init.xavier_normal_(ts.zeros(3))
    with pytest.raises(ArgumentError, match="fan_in or fan_out"):
        nn.init.kaiming_normal_(ts.zeros((3, 3)), mode="both")
    with pytest.raises(ArgumentError, match="std > 0 and a < b"):
        nn.init.trunc_normal_(ts.zeros(1), a=1, b=0)
