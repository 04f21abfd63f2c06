"""Every differentiable function of the core against central differences, first and second order."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import _core
from trainsmith.errors import GraphError

RNG = np.random.default_rng(7)


@dataclass(frozen=True)
class Row:
    """A call to differentiate by its float64 arguments, at a point where it is smooth."""

    args: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)


def real(*shape, low=-2.0, high=2.0):
    return RNG.uniform(low, high, shape)


def apart(*shape, gap=0.2):
    """Numbers that differ by at least a gap from each other and from multiples of a half."""
    count = int(np.prod(shape))
    numbers = (np.arange(count) - count // 2) * (1 + gap) + 0.27
    return RNG.permutation(numbers).reshape(shape)


def one(low=-2.0, high=2.0, **attrs):
    return [Row((real(2, 3, low=low, high=high),), attrs)]


def split(**attrs):
    return [Row((apart(2, 3),), attrs)]


def two(low=-2.0, high=2.0):
    return (
        [Row((real(2, 3, low=low, high=high), real(3, low=low, high=high))), Row((real(2, 1), 1.5))]
        if low < 0
        else [
            Row((real(2, 3, low=low, high=high), real(3, low=low, high=high))),
            Row((1.7, real(2, 2, low=low, high=high))),
        ]
    )


def folds(**attrs):
    return [
        Row((apart(2, 3, 2),), {"axis": axis, "keepdims": keep, **attrs})
        for axis, keep in [(None, False), (1, True), ((0, 2), False)]
    ]


def integers(*values):
    return np.array(values)


def losses(*args, **attrs):
    return [Row(args, {"reduction": reduction, **attrs}) for reduction in ("mean", "sum", "none")]


TABLE: dict[str, list[Row]] = {
    # elementwise
    "abs": split(),
    "acos": one(-0.8, 0.8),
    "acosh": one(1.3, 3),
    "asin": one(-0.8, 0.8),
    "asinh": one(),
    "atan": one(),
    "atanh": one(-0.8, 0.8),
    "ceil": split(),
    "clip": [Row((apart(2, 3), -1.0, 2.0)), Row((apart(2, 3), None, real(3))), Row((real(2, 2), real(2), 5.0))],
    "cos": one(),
    "cosh": one(),
    "erf": one(),
    "exp": one(),
    "expm1": one(),
    "floor": split(),
    "log": one(0.3, 3),
    "log10": one(0.3, 3),
    "log1p": one(-0.6, 3),
    "log2": one(0.3, 3),
    "negative": one(),
    "positive": one(),
    "reciprocal": one(0.4, 2),
    "round": split(),
    "sigmoid": one(),
    "sign": split(),
    "sin": one(),
    "sinh": one(),
    "sqrt": one(0.3, 3),
    "square": one(),
    "tan": one(-1, 1),
    "tanh": one(),
    "trunc": split(),
    "add": two(),
    "atan2": two(0.4, 2),
    "divide": two(0.4, 2),
    "maximum": [Row((real(2, 3), real(3))), Row((real(2, 2), 0.1))],
    "minimum": [Row((real(2, 3), real(3))), Row((real(2, 2), 0.1))],
    "multiply": two(),
    "pow": [*two(0.4, 2), Row((real(2, 3), 3)), Row((real(4), 2.0))],
    "remainder": [Row((np.array([2.3, -1.7]), np.array([1.1, 0.6])))],
    "subtract": two(),
    "where": [Row((np.array([[True], [False]]), real(2, 3), real(3)))],
    # reductions
    "cumulative_prod": [
        Row((real(3, 2),), {"axis": 0}),
        Row((np.array([2.0, 0.0, 3.0, 0.0]),), {"include_initial": True}),
    ],
    "cumulative_sum": [Row((real(3, 2),), {"axis": 1}), Row((real(3),), {"include_initial": True})],
    "logsumexp": [Row((real(2, 3),), {"axis": axis}) for axis in (None, 0, 1)],
    "max": folds(),
    "mean": folds(),
    "min": folds(),
    "prod": [*folds(), Row((np.array([[2.0, 0.0], [0.0, 0.0]]),), {"axis": 1})],
    "std": folds(correction=1.0),
    "sum": folds(),
    "var": folds(correction=0.5),
    # shape and order
    "astype": [Row((real(3),), {"dtype": ts.float64})],
    "broadcast_to": [Row((real(3, 1),), {"shape": (2, 3, 2)})],
    "concat": [Row((real(2, 3), real(1, 3)), {"axis": 0}), Row((real(2), real(3, 1)), {"flatten": True})],
    "expand_dims": [Row((real(2, 3),), {"axis": 1})],
    "flip": [Row((real(2, 3),), {"axis": 1})],
    "matrix_transpose": [Row((real(2, 2, 3),))],
    "pad": [Row((real(2, 2),), {"low": (1, 0), "high": (0, 2), "interior": (1, 0), "value": 3.0})],
    "permute_dims": [Row((real(2, 3, 2),), {"axes": (2, 0, 1)})],
    "put": [Row((real(2, 3), integers(4, 0), real(2)))],
    "reshape": [Row((real(2, 3),), {"shape": (3, -1)})],
    "slice": [Row((real(4, 3),), {"starts": (3, 0), "sizes": (2, 2), "steps": (-2, 1)})],
    "squeeze": [Row((real(2, 1, 3),), {"axis": 1})],
    "take": [Row((real(4, 3), integers(0, -1, 0)), {"axis": 0})],
    "take_along_axis": [Row((real(3, 2), integers(2, 0, 2, 1).reshape(2, 2)), {"axis": 0})],
    # products
    "linear": [Row((real(2, 3), real(4, 3), real(4))), Row((real(3), real(4, 3), None))],
    "matmul": [
        Row((real(2, 3), real(3, 4))),
        Row((real(3), real(3))),
        Row((real(5, 2, 3), real(3, 2))),
        Row((real(2, 1, 2, 3), real(3, 3, 2))),
    ],
    "conv": [
        Row((real(2, 2, 5), real(4, 1, 3), real(4)), {"stride": 2, "padding": 1, "groups": 2}),
        Row((real(1, 2, 4, 5), real(3, 2, 2, 2), None), {"dilation": (1, 2)}),
    ],
    # neural functions
    "adaptive_pool": [
        Row((real(1, 2, 5, 4),), {"output_size": (2, 3)}),
        Row((apart(1, 2, 5),), {"output_size": (3,), "kind": "max"}),
    ],
    "alpha_dropout": [Row((real(2, 3),), {"p": 0.4, "training": True})],
    "avg_pool": [
        Row((real(2, 5, 4),), {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 1)}),
        Row((real(1, 2, 5),), {"kernel_size": (2,), "ceil_mode": True, "count_include_pad": False}),
    ],
    "batch_norm": [
        Row((real(4, 3), real(3), real(3, low=0.5), real(3), real(3)), {"training": False}),
        Row((real(4, 3, 2), None, None, real(3), real(3)), {"training": True}),
    ],
    "binary_cross_entropy_with_logits": losses(
        real(2, 3), real(2, 3, low=0, high=1), real(3, low=0.5), real(3, low=0.5)
    ),
    "celu": split(alpha=1.3),
    "channel_dropout": [Row((real(2, 3, 2),), {"p": 0.4})],
    "cosine_similarity": [Row((real(2, 3), real(2, 3)))],
    "cross_entropy": [
        *losses(real(3, 4), integers(1, 3, 0), real(4, low=0.5), label_smoothing=0.2, ignore_index=3),
        *losses(real(2, 3, 2), real(2, 3, 2, low=0.1, high=1)),
    ],
    "dropout": [Row((real(2, 3),), {"p": 0.4})],
    "elu": split(alpha=1.3),
    "embedding": [Row((integers(1, 0, 1), real(3, 2))), Row((integers(1, 0), real(3, 2)), {"padding_idx": 2})],
    "gelu": [*one(), *one(approximate="tanh")],
    "glu": [Row((real(2, 4),), {"axis": 1})],
    "hardshrink": split(),
    "hardsigmoid": split(),
    "hardswish": split(),
    "hardtanh": split(),
    "layer_norm": [Row((real(2, 3, 2), real(3, 2), real(3, 2)), {"normalized_shape": (3, 2)})],
    "leaky_relu": split(negative_slope=0.3),
    "log_softmax": [Row((real(2, 3),), {"axis": 0})],
    "logsigmoid": one(),
    "max_pool": [
        Row((apart(2, 5, 4),), {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 1)}),
        Row((apart(1, 2, 7),), {"kernel_size": (3,), "dilation": (2,), "return_indices": True}),
    ],
    "mish": one(),
    "mse_loss": losses(real(2, 3), real(2, 3)),
    "normalize": [Row((real(2, 3),), {"axis": 1}), Row((apart(2, 3),), {"axis": 0, "p": 3.0})],
    "pairwise_distance": [Row((real(2, 3), real(2, 3))), Row((apart(2, 3), real(2, 3)), {"p": 3.0, "keepdims": True})],
    "prelu": [Row((apart(2, 3), real(3)))],
    "relu": split(),
    "relu6": split(),
    "rrelu": [Row((apart(2, 3),), {"training": True}), Row((apart(2, 3),))],
    "selu": split(),
    "silu": one(),
    "softmax": [Row((real(2, 3),), {"axis": -1})],
    "softmin": [Row((real(2, 3),), {"axis": 0})],
    "softplus": [*one(beta=1.5), *split(threshold=3.0)],
    "softshrink": split(),
    "softsign": split(),
    "tanhshrink": one(),
    "threshold": split(threshold=0.5, value=2.0),
    "cholesky": [Row((9 * np.eye(3) + real(2, 3, 3),))],
    "copysign": [Row((apart(2, 3), -1.5))],
    "det": [Row((real(2, 3, 3),))],
    "einsum": [
        Row((real(2, 3, 4), real(2, 4, 2)), {"equation": "bij,bjk->bik"}),
        Row((real(3, 3, 2),), {"equation": "iij->ji"}),
        Row((real(3), real(3, 4), real(4)), {"equation": "i,ij,j"}),
    ],
    "inv": [Row((3 * np.eye(3) + real(2, 3, 3),))],
    "solve": [Row((3 * np.eye(3) + real(2, 3, 3), real(3))), Row((3 * np.eye(3) + real(3, 3), real(2, 3, 1)))],
    "sort": [Row((apart(2, 3),), {"axis": 0}), Row((apart(2, 3),), {"descending": True})],
    "topk": [Row((apart(2, 4),), {"k": 2, "axis": 1})],
}

NOT_DIFFERENTIABLE: dict[str, str] = {
    **dict.fromkeys(
        ["all", "any", "isfinite", "isinf", "isnan", "logical_and", "logical_not", "logical_or", "logical_xor"],
        "gives bools",
    ),
    **dict.fromkeys(["equal", "greater", "greater_equal", "less", "less_equal", "not_equal"], "gives bools"),
    **dict.fromkeys(["argmax", "argmin", "argsort", "one_hot", "searchsorted"], "gives integers"),
    **dict.fromkeys(
        ["bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor"],
        "takes integers",
    ),
    **dict.fromkeys(
        ["eigh", "floor_divide", "nextafter", "qr", "svd"],
        "has none in the core: it refuses a tensor that requires a gradient",
    ),
    "slogdet": "gives a sign first; the logarithm is among COMPOSED",
    **dict.fromkeys(["arange", "full", "rand", "randint", "randn", "scalar"], "takes no tensor"),
}


# What the array surface calls under other names. The core's own tests hold a table of all functions, neural ones too.
PRIVATE = {"linear", "pad", "put", "slice"}

CASES = [(name, place) for name, rows in TABLE.items() if name in _core.function_names() for place in range(len(rows))]


def test_every_function_of_the_array_surface_is_differentiated_or_listed_with_its_reason():
    names = {name for name in _core.function_names() if hasattr(ts, name) or hasattr(ts.linalg, name)} | PRIVATE
    assert sorted(names - set(TABLE) - set(NOT_DIFFERENTIABLE)) == []
    assert sorted((set(TABLE) | set(NOT_DIFFERENTIABLE)) - set(_core.function_names())) == []
    assert set(TABLE) & set(NOT_DIFFERENTIABLE) == set()


def test_function_without_a_derivative_refuses_to_stop_gradients_silently():
    x = ts.asarray([2.5]).requires_grad_()
    with pytest.raises(GraphError, match=r"floor_divide: expected an op with a derivative; call it on x.detach\(\)"):
        ts.floor_divide(x, 2.0)
    assert ts.floor_divide(x.detach(), 2.0).tolist() == [1.0]


class Weighted:
    """The weighted sum of a call's first result, as a function of the call's float arguments."""

    def __init__(self, name, row):
        self.name, self.row = name, row
        self.places = [i for i, a in enumerate(row.args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
        self.point = [row.args[i] for i in self.places]
        self.weight = None

    def __call__(self, *floats):
        args = list(self.row.args)
        for place, value in zip(self.places, floats):
            args[place] = value
        ts.manual_seed(5)  # the same draws at every point
        out = _core.apply(self.name, tuple(args), self.row.attrs)
        out = out[0] if isinstance(out, tuple) else out
        if self.weight is None:
            self.weight = np.random.default_rng(1).uniform(0.5, 1.5, out.shape)
        return ts.sum(out * self.weight)

    def directions(self, seed):
        rng = np.random.default_rng(seed)
        return [rng.normal(size=x.shape) for x in self.point]


def dot(gradients, direction):
    return sum(float(ts.sum(g * d)) for g, d in zip(gradients, direction))


def difference(function, point, direction, step):
    ahead = function(*[ts.asarray(x + step * d) for x, d in zip(point, direction)])
    behind = function(*[ts.asarray(x - step * d) for x, d in zip(point, direction)])
    return (ahead - behind) / (2 * step)


@pytest.mark.parametrize(("name", "place"), CASES)
def test_gradient_is_the_central_difference(name, place):
    f = Weighted(name, TABLE[name][place])
    direction = f.directions(2)
    gradients = ts.grad(f, tuple(range(len(f.point))))(*map(ts.asarray, f.point))
    assert [g.shape for g in gradients] == [x.shape for x in f.point]
    want = float(difference(f, f.point, direction, 1e-6))
    assert dot(gradients, direction) == pytest.approx(want, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("name", "place"), CASES)
def test_second_derivative_is_the_central_difference_of_the_first(name, place):
    f = Weighted(name, TABLE[name][place])
    everything = tuple(range(len(f.point)))
    direction, other = f.directions(2), f.directions(3)

    def slope(*floats):
        gradients = ts.grad(f, everything)(*floats)
        total = ts.asarray(0.0, dtype=ts.float64)
        for gradient, along in zip(gradients, other):
            total = total + ts.sum(gradient * along)
        return total

    second = ts.grad(slope, everything)(*map(ts.asarray, f.point))
    want = float(difference(slope, f.point, direction, 1e-5))
    assert dot(second, direction) == pytest.approx(want, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(("name", "place"), CASES)
def test_backward_gives_the_functional_gradient(name, place):
    f = Weighted(name, TABLE[name][place])
    leaves = [ts.asarray(x).requires_grad_() for x in f.point]
    f(*leaves).backward()
    wanted = ts.grad(f, tuple(range(len(leaves))))(*map(ts.asarray, f.point))
    for leaf, want in zip(leaves, wanted):
        np.testing.assert_allclose(leaf.grad, want, rtol=1e-12, atol=1e-12)


# Functions that the package composes itself, over the same check.
COMPOSED = {
    "diff": (lambda a: ts.diff(a, n=2), (real(5),)),
    "hypot": (ts.hypot, (real(2, 3), real(3))),
    "logabsdet": (lambda a: ts.linalg.slogdet(a).logabsdet, (real(2, 3, 3),)),
    "logaddexp": (ts.logaddexp, (real(2, 3), real(3))),
    "cross": (ts.linalg.cross, (real(2, 3), real(3))),
    "matrix_norm": (lambda a: ts.linalg.matrix_norm(a, ord=1), (apart(2, 3, 3),)),
    "matrix_power": (lambda a: ts.linalg.matrix_power(a, -3), (3 * np.eye(2) + real(2, 2),)),
    "repeat": (lambda a: ts.repeat(a, [2, 0, 1], axis=0), (real(3, 2),)),
    "roll": (lambda a: ts.roll(a, 1), (real(2, 3),)),
    "stack": (lambda a, b: ts.stack([a, b], axis=1), (real(3), real(3))),
    "tensordot": (lambda a, b: ts.tensordot(a, b, axes=1), (real(2, 3), real(3, 2))),
    "trace": (lambda a: ts.linalg.trace(a, offset=1), (real(2, 3, 4),)),
    "vector_norm": (lambda a: ts.linalg.vector_norm(a, axis=0, ord=3), (apart(3, 2),)),
    "tile": (lambda a: ts.tile(a, (2, 2)), (real(2, 3),)),
    "tril": (lambda a: ts.tril(a), (real(3, 3),)),
    "unstack": (lambda a: ts.stack(ts.unstack(a, axis=1)[::-1]), (real(2, 3),)),
    "vecdot": (ts.vecdot, (real(2, 3), real(3))),
    "masked_fill": (lambda a: ts.masked_fill(a, np.array([True, False, True]), 0.5), (real(2, 3),)),
    "getitem": (lambda a: a[[0, 1, 0], :, None, ::2], (real(2, 2, 4),)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_function_passes_the_same_check(name):
    function, point = COMPOSED[name]
    weight = np.random.default_rng(1).uniform(0.5, 1.5, function(*map(ts.asarray, point)).shape)
    rng = np.random.default_rng(2)
    direction, other = ([rng.normal(size=x.shape) for x in point] for _ in range(2))

    def f(*floats):
        return ts.sum(function(*floats) ** 2 * weight)

    def slope(*floats):
        gradients = ts.grad(f, tuple(range(len(point))))(*floats)
        return sum((ts.sum(g * o) for g, o in zip(gradients, other)), start=ts.asarray(0.0, dtype=ts.float64))

    for g, step, rel in ((f, 1e-6, 1e-6), (slope, 1e-5, 1e-5)):
        gradients = ts.grad(g, tuple(range(len(point))))(*map(ts.asarray, point))
        assert dot(gradients, direction) == pytest.approx(
            float(difference(g, point, direction, step)), rel=rel, abs=1e-6
        )
