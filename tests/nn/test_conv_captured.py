"""A bias and a rectifier run with the sums of a captured convolution; the bits are those of one op after another."""

import itertools

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn

SIZES = [
    # batch, channels, outputs, kernel, spatial size, options
    (3, 1, 5, 3, (28, 28), {"padding": 1}),
    (2, 6, 20, 3, (14, 14), {"padding": 1}),
    (1, 3, 4, 3, (9, 9), {}),
    (1, 16, 64, 3, (40, 40), {"padding": 1}),
    (4, 3, 8, 3, (9, 7), {"stride": 2}),
    (2, 4, 8, 1, (6, 6), {}),
    (2, 4, 8, 3, (6, 6), {"groups": 4, "padding": 1}),
    (2, 3, 4, 5, (6, 6), {}),
    (2, 3, 4, 3, (50,), {"dilation": 2}),
    (2, 2, 3, 2, (5, 4, 6), {}),
]
CLASSES = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [ts.float32, ts.float64])
@pytest.mark.parametrize(("batch", "channels", "outputs", "kernel", "size", "options"), SIZES)
def test_captured_layers_give_the_bits_of_eager_ones(batch, channels, outputs, kernel, size, options, dtype, threads):
    ts.set_num_threads(threads)
    ts.manual_seed(0)
    layer = CLASSES[len(size)](channels, outputs, kernel, dtype=dtype, **options)
    x = ts.randn(batch, channels, *size, dtype=dtype)
    plain = CLASSES[len(size)](channels, outputs, kernel, dtype=dtype, bias=False, **options)
    for after in (lambda y: y, nn.functional.relu, lambda y: nn.functional.relu(y) + y):
        for module in (layer, plain):
            step = ts.compile(lambda x, module=module, after=after: after(module(x)))
            assert np.array_equal(np.asarray(step(x)), np.asarray(after(module(x))))


def test_a_bias_along_the_last_axis_is_none_of_channels():
    ts.manual_seed(0)
    weight = ts.randn(7, 3, 1, 1)
    shapes = [(7,), (7, 1), (7, 7), (7, 1, 1), (2, 1, 1, 1), (1, 1, 1, 1)]
    for batch, shape in itertools.product([1, 2], shapes):
        x, added = ts.randn(batch, 3, 7, 7), ts.randn(*shape)
        step = ts.compile(lambda x, added: nn.functional.relu(nn.functional.conv2d(x, weight) + added))
        eager = nn.functional.relu(nn.functional.conv2d(x, weight) + added)
        assert np.array_equal(np.asarray(step(x, added)), np.asarray(eager)), shape
