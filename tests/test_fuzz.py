"""Random calls of every function: a result or an error of the package, never a panic or anything else."""

import random
import time

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import _core
from trainsmith.errors import InternalError, TrainsmithError

SECONDS = 15.0
SHAPES = [(), (0,), (1,), (2,), (3,), (2, 3), (3, 2), (0, 3), (1, 3), (2, 3, 2), (2, 2, 3, 3), (1, 1, 1, 1, 1)]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTEGERS, "float16", "bfloat16", "float32", "float64"]
LIKELY = ["float32", "float64", "int64", "bool"]
KEYS = [
    "align_corners",
    "alpha",
    "approximate",
    "axes",
    "axis",
    "beta",
    "blank",
    "ceil_mode",
    "cell",
    "correction",
    "count_include_pad",
    "delta",
    "device",
    "dilation",
    "divisor_override",
    "dropout_p",
    "dtype",
    "enable_gqa",
    "eps",
    "equation",
    "fill",
    "flatten",
    "full",
    "gamma",
    "groups",
    "high",
    "ignore_index",
    "include_initial",
    "interior",
    "is_causal",
    "k",
    "keepdims",
    "kernel_size",
    "kind",
    "label_smoothing",
    "lambd",
    "largest",
    "leading",
    "log_target",
    "low",
    "lower",
    "margin",
    "max_val",
    "min_val",
    "mode",
    "momentum",
    "need_weights",
    "negative_slope",
    "normalized_shape",
    "num_classes",
    "output_padding",
    "output_size",
    "p",
    "padding",
    "padding_idx",
    "reduction",
    "return_indices",
    "reverse",
    "scale",
    "shape",
    "size",
    "sizes",
    "start",
    "starts",
    "step",
    "steps",
    "stop",
    "stride",
    "threshold",
    "training",
    "upper",
    "value",
    "zero_infinity",
]
SMALL = [-3, -2, -1, 0, 1, 2, 3, 5]
NUMBERS = [True, False, *SMALL, 0.5, -1.5, 1e30, -1e-30, float("inf"), float("nan"), 2**40, -(2**63), 2**63 - 1]
PER_AXIS = {
    "conv": ("stride", "padding", "dilation"),
    "pad": ("low", "high", "interior"),
    "permute_dims": ("axes",),
    "slice": ("starts", "sizes", "steps"),
}
COUNTS = {
    "shape",
    "sizes",
    "low",
    "high",
    "interior",
    "num_classes",
    "stop",
    "padding",
    "normalized_shape",
    "leading",
    "output_size",
    "kernel_size",
    "output_padding",
    "size",
}


def tensor(rng):
    shape = rng.choice(SHAPES)
    dtype = rng.choice(LIKELY if rng.random() < 0.7 else DTYPES)
    values = np.array([rng.choice([-2, -1, 0, 1, 2, 3, 0.5]) for _ in range(int(np.prod(shape)))]).reshape(shape)
    made = ts.astype(ts.asarray(values), dtype)
    return made.requires_grad_() if made.dtype.is_floating and rng.random() < 0.3 else made


def argument(rng):
    kind = rng.random()
    if kind < 0.8:
        return tensor(rng)
    return None if kind < 0.87 else rng.choice(NUMBERS)


def attribute(rng, key):
    kind = rng.random()
    numbers = SMALL if key in COUNTS else NUMBERS
    if kind < 0.5:
        return tuple(rng.choice(SMALL) for _ in range(rng.randint(0, 4)))
    if kind < 0.85:
        return rng.choice(numbers)
    if kind < 0.92:
        return getattr(ts, rng.choice(DTYPES))
    return rng.choice([None, "mean", "sum", "none", "tanh", "cpu", "reference", "text", "max", "linear", "ij,jk->ik"])


def likely(rng, name, args):
    """Keywords that the function is likely to take, so that calls get past its first check."""
    found = {}
    rank = args[0].ndim if args and isinstance(args[0], ts.Tensor) else 0
    if rng.random() < 0.5:
        found["axis"] = rng.choice([None, 0, 1, -1, (0, 1)])
    if name in ("arange", "full", "rand", "randn", "randint", "reshape", "broadcast_to"):
        found["shape"] = tuple(rng.choice([0, 1, 2, 3]) for _ in range(rng.randint(0, 3)))
    if name.endswith("pool"):
        found["kernel_size"] = found["output_size"] = tuple(rng.choice([1, 2, 3]) for _ in range(rng.randint(1, 3)))
    if name in ("layer_norm", "rms_norm") and rank and rng.random() < 0.7:
        found["normalized_shape"] = args[0].shape[rng.randrange(rank) :]
    if name in PER_AXIS and rng.random() < 0.8:
        for key in PER_AXIS[name]:
            found[key] = tuple(rng.choice([0, 0, 1, 1, 2, 3, -1]) for _ in range(rank))
    return found


def recurrent(rng, name):
    cell, gates = rng.choice([("tanh", 1), ("relu", 1), ("gru", 3), ("lstm", 4)])
    steps = rng.choice([(), (0,), (1,), (3,)]) if name == "recurrent_layer" else ()
    shapes = [(*steps, 2, 3), (gates * 2, 3), (gates * 2, 2), (gates * 2,), (gates * 2,), (2, 2), (2, 2)]
    args = [ts.rand(*shape) for shape in shapes]
    args[3:5] = args[3:5] if rng.random() < 0.5 else [None, None]
    return args, {"cell": cell}


def attending(rng, name):
    batch, length, keys, width = (rng.choice([0, 1, 2, 3]) for _ in range(4))
    args = [ts.rand(batch, length, width), ts.rand(batch, keys, width), ts.rand(batch, keys, 2)]
    masks = [None, ts.rand(length, keys), ts.rand(length, keys) > 0.5]
    return [*args, rng.choice(masks)], {"is_causal": rng.random() < 0.3, "need_weights": rng.random() < 0.5}


def aligning(rng, name):
    steps, batch = rng.choice([0, 1, 4]), rng.choice([1, 2])
    lengths = ts.full((batch,), rng.choice([0, 1, steps]), dtype=ts.int64)
    labels = ts.randint(0, 3, (batch, rng.choice([0, 1, 2])))
    return [ts.rand(steps, batch, 3), labels, lengths, ts.full((batch,), rng.choice([0, 1, 2]))], {}


def convolving(rng, name):
    axes = rng.randint(1, 3)
    channels, groups = rng.choice([(2, 1), (4, 2), (3, 3)])
    sizes = [rng.choice([0, 1, 4, 5]) for _ in range(axes)]
    kernel = [rng.choice([1, 2, 3]) for _ in range(axes)]
    weight = ts.rand(channels, channels // groups, *kernel)
    return [ts.rand(2, channels, *sizes), weight, rng.choice([None, ts.rand(channels)])], {"groups": groups}


# Functions whose arguments rarely fit one another by chance; one of them is then replaced now and again.
TEMPLATES = {
    "conv": convolving,
    "conv_transpose": convolving,
    "recurrent_layer": recurrent,
    "recurrent_cell": recurrent,
    "scaled_dot_product_attention": attending,
    "ctc_loss": aligning,
    "interpolate": lambda rng, name: ([tensor(rng)], {"size": (rng.choice([1, 2, 5]),) * rng.randint(1, 3)}),
    "batch_norm": lambda rng, name: ([tensor(rng), None, None], {"training": rng.random() < 0.8}),
}


def fitting(rng, name):
    args, attrs = TEMPLATES[name](rng, name)
    if rng.random() < 0.5:
        args[rng.randrange(len(args))] = argument(rng)
    for key in rng.sample(KEYS, rng.choice([0, 0, 1, 2])):
        attrs[key] = attribute(rng, key)
    return tuple(args), attrs


def calls(rng, name):
    if name in TEMPLATES and rng.random() < 0.7:
        return fitting(rng, name)
    args = tuple(argument(rng) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 3, 4, 5])))
    attrs = likely(rng, name, args)
    for key in rng.sample(KEYS, rng.choice([0, 0, 1, 2, 4, 8])):
        attrs[key] = attribute(rng, key)
    if name == "arange":
        attrs["start"], attrs["stop"] = rng.choice(SMALL), rng.choice(SMALL)
        attrs["step"] = rng.choice([1, -1, 0, 0.5, float("nan")])
    return args, attrs


def outcome(function, *args):
    """The result, or None where the package refused."""
    try:
        return function(*args)
    except InternalError:
        raise
    except TrainsmithError as error:
        if not str(error).startswith(error.op):
            raise AssertionError("a message that does not name its operation") from error
        return None


def backward(result):
    ts.sum(result).backward()
    return result


def captured(name, args, attrs):
    return ts.compile(lambda *xs: _core.apply(name, xs, attrs))(*args)


def results_of(got):
    return got if isinstance(got, tuple) else () if got is None else (got,)


def on_host(x):
    return np.asarray(x.double() if x.dtype.is_floating else x)


def moved(args, device):
    return tuple(_core.to_device(a, device) if isinstance(a, ts.Tensor) and not a.requires_grad else a for a in args)


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_random_calls_give_results_or_errors_of_the_package(device):
    names = _core.function_names()
    end = time.monotonic() + SECONDS / 2
    results = count = 0
    while time.monotonic() < end:
        rng = random.Random(count)
        name = names[count % len(names)]
        count += 1
        args, attrs = calls(rng, name)
        try:
            for result in results_of(outcome(_core.apply, name, moved(args, device), attrs)):
                results += 1
                assert on_host(result).shape == result.shape
                if result.requires_grad and result.size:
                    outcome(backward, result)
        except BaseException:
            print(f"call {count - 1}: {name}", args, attrs)
            raise
    assert count > 500
    assert results > count / 10


def test_random_captured_calls_are_the_eager_ones():
    drawing = {"rand", "randn", "randint", "rrelu", "dropout", "channel_dropout", "alpha_dropout"}
    names = [name for name in _core.function_names() if name not in drawing]
    end = time.monotonic() + SECONDS / 3
    count = compared = 0
    while time.monotonic() < end:
        rng = random.Random(10**6 + count)
        name = names[count % len(names)]
        count += 1
        args, attrs = calls(rng, name)
        args = tuple(a.detach() if isinstance(a, ts.Tensor) else a for a in args)
        try:
            wanted = results_of(outcome(_core.apply, name, args, attrs))
            found = results_of(outcome(captured, name, args, attrs))
            assert len(found) == len(wanted)
            for got, want in zip(found, wanted):
                compared += 1
                assert (got.dtype, got.shape) == (want.dtype, want.shape)
                rtol = 1e-2 if got.dtype.itemsize == 2 else 1e-5
                np.testing.assert_allclose(on_host(got), on_host(want), rtol=rtol, atol=1e-6)
        except BaseException:
            print(f"call {count - 1}: {name}", args, attrs)
            raise
    assert compared > 20
