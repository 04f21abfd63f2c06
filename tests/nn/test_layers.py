"""One row per layer: shapes, state names, ranges of start values, and the text it prints."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError


@dataclass(frozen=True)
class Row:
    make: object
    inputs: tuple[int, ...]
    output: tuple[int, ...]
    text: str
    state: tuple[str, ...] = ()
    bounds: dict[str, float] = field(default_factory=dict)
    integers: bool = False
    typed: bool = True


NORM_STATE = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
LAYERS = {
    "Linear": Row(
        lambda **kw: nn.Linear(16, 3, **kw),
        (5, 16),
        (5, 3),
        "Linear(in_features=16, out_features=3, bias=True)",
        ("weight", "bias"),
        {"weight": 0.25, "bias": 0.25},
    ),
    "Linear without bias": Row(
        lambda **kw: nn.Linear(16, 3, bias=False, **kw),
        (2, 5, 16),
        (2, 5, 3),
        "Linear(in_features=16, out_features=3, bias=False)",
        ("weight",),
    ),
    "Identity": Row(lambda: nn.Identity(), (2, 3), (2, 3), "Identity()", typed=False),
    "ReLU": Row(lambda: nn.ReLU(), (2, 3), (2, 3), "ReLU()", typed=False),
    "Tanh": Row(lambda: nn.Tanh(), (2, 3), (2, 3), "Tanh()", typed=False),
    "Sigmoid": Row(lambda: nn.Sigmoid(), (2, 3), (2, 3), "Sigmoid()", typed=False),
    "GELU": Row(lambda: nn.GELU("tanh"), (2, 3), (2, 3), "GELU(approximate='tanh')", typed=False),
    "SiLU": Row(lambda: nn.SiLU(), (2, 3), (2, 3), "SiLU()", typed=False),
    "Softmax": Row(lambda: nn.Softmax(axis=1), (2, 3), (2, 3), "Softmax(axis=1)", typed=False),
    "LogSoftmax": Row(lambda: nn.LogSoftmax(axis=0), (2, 3), (2, 3), "LogSoftmax(axis=0)", typed=False),
    "Dropout": Row(lambda: nn.Dropout(0.2), (2, 3), (2, 3), "Dropout(p=0.2, inplace=False)", typed=False),
    "Flatten": Row(lambda: nn.Flatten(), (2, 3, 4), (2, 12), "Flatten(start_axis=1, end_axis=-1)", typed=False),
    "LayerNorm": Row(
        lambda **kw: nn.LayerNorm(4, **kw),
        (2, 3, 4),
        (2, 3, 4),
        "LayerNorm((4,), eps=1e-05, elementwise_affine=True)",
        ("weight", "bias"),
    ),
    "LayerNorm over two axes": Row(
        lambda **kw: nn.LayerNorm((3, 4), bias=False, **kw),
        (2, 3, 4),
        (2, 3, 4),
        "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True)",
        ("weight",),
    ),
    "BatchNorm1d": Row(
        lambda **kw: nn.BatchNorm1d(4, **kw),
        (6, 4),
        (6, 4),
        "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
        NORM_STATE,
    ),
    "BatchNorm1d without anything": Row(
        lambda **kw: nn.BatchNorm1d(4, affine=False, track_running_stats=False, **kw),
        (6, 4, 5),
        (6, 4, 5),
        "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)",
        typed=False,
    ),
    "Embedding": Row(
        lambda **kw: nn.Embedding(7, 4, padding_idx=-1, **kw),
        (2, 3),
        (2, 3, 4),
        "Embedding(7, 4, padding_idx=6)",
        ("weight",),
        integers=True,
    ),
    "Conv1d": Row(
        lambda **kw: nn.Conv1d(4, 6, 4, stride=2, groups=2, **kw),
        (2, 4, 10),
        (2, 6, 4),
        "Conv1d(4, 6, kernel_size=(4,), stride=(2,), groups=2)",
        ("weight", "bias"),
        {"weight": 8**-0.5, "bias": 8**-0.5},
    ),
    "Conv2d": Row(
        lambda **kw: nn.Conv2d(2, 3, (3, 1), padding=(1, 0), bias=False, **kw),
        (2, 2, 5, 4),
        (2, 3, 5, 4),
        "Conv2d(2, 3, kernel_size=(3, 1), stride=(1, 1), padding=(1, 0), bias=False)",
        ("weight",),
        {"weight": 6**-0.5},
    ),
    "Conv3d": Row(
        lambda **kw: nn.Conv3d(1, 2, 2, dilation=2, padding="same", padding_mode="circular", **kw),
        (2, 1, 4, 4, 4),
        (2, 2, 4, 4, 4),
        "Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), padding='same', dilation=(2, 2, 2), "
        "padding_mode='circular')",
        ("weight", "bias"),
        {"weight": 8**-0.5, "bias": 8**-0.5},
    ),
}
ROWS = pytest.mark.parametrize("row", LAYERS.values(), ids=LAYERS)
TYPED = pytest.mark.parametrize(
    "row", [r for r in LAYERS.values() if r.typed], ids=[k for k in LAYERS if LAYERS[k].typed]
)


def input_of(row, dtype="float32"):
    rng = np.random.default_rng(0)
    if row.integers:
        return ts.asarray(rng.integers(0, 7, size=row.inputs))
    return ts.asarray(rng.normal(size=row.inputs).astype(dtype))


@ROWS
def test_shapes(row):
    assert row.make()(input_of(row)).shape == row.output


@ROWS
def test_state_names_are_those_of_torch(row):
    assert tuple(row.make().state_dict()) == row.state


@ROWS
def test_repr(row):
    assert repr(row.make()) == row.text


@ROWS
def test_captured_equals_eager(row):
    layer = row.make().eval()
    step = ts.compile(lambda x: layer(x))
    x = input_of(row)
    step(x)
    np.testing.assert_allclose(step(x).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)


@ROWS
def test_start_values_fill_their_range(row):
    for name, bound in row.bounds.items():
        values = np.concatenate([row.make().state_dict()[name].numpy().ravel() for _ in range(50)])
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.9 * bound
        assert abs(values.mean()) < 0.2 * bound


@TYPED
def test_dtype_and_device_are_taken(row):
    layer = row.make(dtype=ts.float64, device="cpu")
    assert {str(param.dtype) for param in layer.parameters()} <= {"float64"}
    assert layer(input_of(row, "float64")).dtype == ts.float64
    with pytest.raises(DTypeError, match="a floating dtype"):
        row.make(dtype=ts.int64)


@ROWS
def test_gradients_reach_every_parameter(row):
    layer = row.make()
    out = layer(input_of(row))
    if list(layer.parameters()):
        (out * out).sum().backward()
    assert all(param.grad is not None for param in layer.parameters())


BAD = {
    "Linear": lambda: nn.Linear(0, 1),
    "BatchNorm1d": lambda: nn.BatchNorm1d(0),
    "Embedding": lambda: nn.Embedding(3, 0),
    "padding_idx": lambda: nn.Embedding(3, 1, padding_idx=3),
    "Dropout": lambda: nn.Dropout(1.5),
    "groups": lambda: nn.Conv1d(3, 4, 1, groups=2),
    "kernel": lambda: nn.Conv2d(3, 4, (1, 2, 3)),
    "stride": lambda: nn.Conv2d(3, 4, 1, stride=0),
    "padding_mode": lambda: nn.Conv2d(3, 4, 1, padding_mode="mirror"),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_arguments_outside_their_range(make):
    with pytest.raises(ArgumentError, match="expected"):
        make()


def test_batch_norm_checks_its_input():
    with pytest.raises(ShapeError, match=r"\(n, 3\) or \(n, 3, length\)"):
        nn.BatchNorm1d(3)(ts.ones((2, 4)))
    with pytest.raises(ArgumentError, match="more than one value per channel"):
        nn.BatchNorm1d(3)(ts.ones((1, 3)))


def test_batch_norm_without_momentum_averages_over_batches():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=ts.float64)
    batches = np.random.default_rng(0).normal(size=(4, 10, 2))
    for batch in batches:
        layer(ts.asarray(batch))
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), batches.var(1, ddof=1).mean(0), rtol=1e-12)
    assert int(layer.num_batches_tracked) == 4
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0, 0.0]


def test_batch_norm_in_evaluation_uses_the_running_statistics():
    layer = nn.BatchNorm1d(1, eps=0.0, dtype=ts.float64)
    layer.load_state_dict({**layer.state_dict(), "running_mean": np.array([2.0]), "running_var": np.array([4.0])})
    layer.eval()
    assert layer(ts.asarray([[4.0]], dtype=ts.float64)).tolist() == [[1.0]]
    assert layer.running_mean.tolist() == [2.0]


def test_dropout_keeps_the_mean_and_follows_the_seed():
    x = ts.ones((200, 200))
    layer = nn.Dropout(0.25)
    ts.manual_seed(3)
    one = layer(x).numpy()
    ts.manual_seed(3)
    np.testing.assert_array_equal(layer(x).numpy(), one)
    assert set(np.unique(one)) == {0.0, np.float32(1 / 0.75)}
    assert abs(one.mean() - 1) < 0.02
    assert (layer(x).numpy() != one).any()


def test_embedding_leaves_its_padding_row():
    layer = nn.Embedding(4, 2, padding_idx=1)
    assert layer.weight.tolist()[1] == [0.0, 0.0]
    layer(ts.asarray([0, 1, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_embedding_of_a_given_table():
    table = ts.asarray([[1.0], [2.0]])
    layer = nn.Embedding.from_pretrained(table, freeze=False)
    assert layer(ts.asarray([1])).tolist() == [[2.0]]
    assert layer.weight.requires_grad
    with pytest.raises(ShapeError, match="a table of shape"):
        nn.Embedding.from_pretrained(ts.ones(3))


def test_inplace_layers_change_their_input():
    for layer in (nn.ReLU(inplace=True), nn.SiLU(inplace=True), nn.Dropout(0.5, inplace=True)):
        x = ts.asarray([-1.0, 2.0])
        out = layer(x)
        assert out is x
        assert repr(layer).count("inplace=True") == 1


def test_flatten_joins_the_axes_named():
    x = ts.ones((2, 3, 4, 5))
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    assert nn.Flatten(-3, -2)(x).shape == (2, 12, 5)
    with pytest.raises(ShapeError, match="Flatten: expected axes in order"):
        nn.Flatten(3, 1)(x)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_agree_with_numpy(mode):
    layer = nn.Conv1d(1, 1, 3, padding=2, padding_mode=mode, dtype=ts.float64)
    x = np.random.default_rng(0).normal(size=(1, 1, 6))
    border = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    wide = np.pad(x[0, 0], 2, mode=border)
    kernel = layer.weight.numpy()[0, 0]
    want = np.correlate(wide, kernel) + float(layer.bias)
    np.testing.assert_allclose(layer(ts.asarray(x)).numpy()[0, 0], want, rtol=1e-12)


def test_padding_same_keeps_even_kernels_aligned_as_torch_does():
    layer = nn.Conv1d(1, 1, 2, padding="same", bias=False)
    nn.init.ones_(layer.weight)
    assert layer(ts.asarray([[1.0, 2.0, 4.0]])).tolist() == [[3.0, 6.0, 4.0]]
    with pytest.raises(ArgumentError, match='stride 1 with padding "same"'):
        nn.Conv1d(1, 1, 2, padding="same", stride=2)(ts.ones((1, 3)))


def test_losses_hold_their_weights_as_state():
    weight = ts.asarray([1.0, 3.0])
    loss = nn.CrossEntropyLoss(weight, label_smoothing=0.1, ignore_index=1, reduction="sum")
    assert list(loss.state_dict()) == ["weight"]
    x, y = ts.asarray([[0.5, 1.0], [0.0, 2.0]]), ts.asarray([0, 1])
    want = nn.functional.cross_entropy(x, y, weight, label_smoothing=0.1, ignore_index=1, reduction="sum")
    assert float(loss(x, y)) == float(want)
    binary = nn.BCEWithLogitsLoss(weight, pos_weight=weight, reduction="none")
    assert list(binary.state_dict()) == ["weight", "pos_weight"]
    target = ts.asarray([[0.0, 1.0], [1.0, 0.5]])
    want = nn.functional.binary_cross_entropy_with_logits(x, target, weight, pos_weight=weight, reduction="none")
    assert binary(x, target).tolist() == want.tolist()
    assert float(nn.MSELoss(reduction="sum")(x, target)) == pytest.approx(((x.numpy() - target.numpy()) ** 2).sum())


class TestSequential:
    def test_indexing_and_iteration(self):
        model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        assert len(model) == 3
        assert list(model)[1] is model[1] is model[-2]
        assert list(model[1:].state_dict()) == ["2.weight", "2.bias"]
        assert model[:2](ts.ones((1, 2))).shape == (1, 3)
        with pytest.raises(IndexRangeError, match=r"an index in \[-3, 3\)"):
            model[3]

    def test_changes(self):
        model = nn.Sequential(nn.Linear(2, 3))
        assert model.append(nn.Tanh()) is model
        model.extend([nn.Linear(3, 1)])
        model[1] = nn.ReLU()
        assert [type(part).__name__ for part in model] == ["Linear", "ReLU", "Linear"]
        del model[1]
        assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
        del model[0:1]
        assert len(model) == 1

    def test_names(self):
        model = nn.Sequential(OrderedDict(head=nn.Linear(2, 1), act=nn.Tanh()))
        assert list(model.state_dict()) == ["head.weight", "head.bias"]
        assert model.act is model[1]

    def test_only_modules_go_in(self):
        with pytest.raises(ArgumentError, match="a Module or None"):
            nn.Sequential(print)


def test_kaiming_start_of_linear_is_that_of_torch():
    layer = nn.Linear(4, 2000)
    assert np.std(layer.weight.numpy()) == pytest.approx(1 / math.sqrt(4) / math.sqrt(3), rel=0.05)
