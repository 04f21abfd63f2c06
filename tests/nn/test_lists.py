"""Containers, computed parameters, bags and bilinear forms."""

import copy

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError

F = nn.functional


def test_a_list_names_its_modules_by_place():
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()]).append(nn.Linear(2, 3))
    layers.insert(1, nn.Linear(1, 1))
    assert [type(layer).__name__ for layer in layers] == ["ReLU", "Linear", "Tanh", "Linear"]
    assert list(layers.state_dict()) == ["1.weight", "1.bias", "3.weight", "3.bias"]
    assert (len(layers), len(layers[1:3]), layers[-1].out_features) == (4, 2, 3)
    del layers[0]
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    layers[0] = nn.Identity()
    assert layers.pop(0) not in layers
    more = [nn.ReLU()]
    assert len(layers + more) == 3
    with pytest.raises(IndexRangeError, match=r"\[-2, 2\)"):
        layers[2]


def test_a_dict_names_its_modules_by_key():
    heads = nn.ModuleDict({"a": nn.Linear(1, 1)})
    heads["b"] = nn.Tanh()
    heads.update([("a", nn.ReLU())])
    assert (list(heads), len(heads), "b" in heads) == (["a", "b"], 2, True)
    assert [name for name, _ in heads.items()] == list(heads.keys())
    assert isinstance(heads.pop("a"), nn.ReLU)
    with pytest.raises(ArgumentError, match="among b"):
        heads["a"]
    heads.clear()
    assert list(heads.values()) == []


def test_lists_and_dicts_of_parameters_are_found_by_their_module():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scales = nn.ParameterList([ts.ones(2), nn.Parameter(ts.ones(3))])
            self.named = nn.ParameterDict({"shift": ts.zeros(1)})

        def forward(self, x):
            return x * self.scales[0] + self.named["shift"]

    model = Model()
    assert list(model.state_dict()) == ["scales.0", "scales.1", "named.shift"]
    assert len(list(model.parameters())) == 3
    assert model(ts.ones(2)).tolist() == [1.0, 1.0]
    model.scales[0] = ts.zeros(2)
    assert model(ts.ones(2)).tolist() == [0.0, 0.0]
    assert [p.shape for p in model.scales[:2]] == [(2,), (3,)]
    del model.named["shift"]
    assert "shift" not in model.named


@pytest.mark.parametrize("axis", [0, 1, None])
def test_a_normed_weight_starts_where_it_was_and_trains_by_length_and_direction(axis):
    layer = nn.Linear(3, 2, dtype=ts.float64)
    before = np.asarray(layer.weight).copy()
    layer = nn.utils.parametrizations.weight_norm(layer, axis=axis)
    state = ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    assert list(layer.state_dict()) == state
    np.testing.assert_allclose(np.asarray(layer.weight), before, rtol=1e-12)
    assert layer.get_parameter(state[1]).shape == {0: (2, 1), 1: (1, 3), None: (1, 1)}[axis]
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    ts.sum(layer(ts.ones((4, 3), dtype=ts.float64)) ** 2).backward()
    optimizer.step()
    g, v = (np.asarray(layer.state_dict()[name]) for name in state[1:])
    axes = tuple(a for a in range(2) if a != axis)
    np.testing.assert_allclose(np.asarray(layer.weight), g * v / np.sqrt((v**2).sum(axes, keepdims=True)), rtol=1e-12)
    assert np.abs(np.asarray(layer.weight) - before).max() > 1e-3
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(np.asarray(twin.weight), np.asarray(layer.weight))
    assert isinstance(layer, nn.Linear)


def test_a_normed_weight_is_captured():
    layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 2, 3))
    check_captured(layer, numbers(2, 1, 5).astype("f4"))
    with pytest.raises(ArgumentError, match="parameter"):
        nn.utils.parametrizations.weight_norm(layer, "width")


def bags(index, offsets):
    ends = [*offsets[1:], len(index)]
    return [list(index[start:end]) for start, end in zip(offsets, ends, strict=True)]


FOLDS = {"sum": np.sum, "mean": np.mean, "max": np.max}


@pytest.mark.parametrize("padding", [None, 1, -1])
@pytest.mark.parametrize("mode", FOLDS)
def test_bags_fold_their_rows(mode, padding):
    table, index, offsets = numbers(5, 3), np.array([0, 3, 3, 1, 4, 4]), np.array([0, 2, 2, 5])
    want = np.zeros((4, 3))
    for place, bag in enumerate(bags(index, offsets)):
        rows = [table[i] for i in bag if padding is None or i != padding % 5]
        if rows:
            want[place] = FOLDS[mode](rows, axis=0)
    layer = nn.EmbeddingBag(5, 3, mode=mode, padding_idx=padding, dtype=ts.float64)
    layer.load_state_dict({"weight": table})
    got = layer(ts.asarray(index), ts.asarray(offsets))
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)
    square = F.embedding_bag(ts.asarray(index.reshape(2, 3)), ts.asarray(table), mode=mode, padding_idx=padding)
    again = F.embedding_bag(ts.asarray(index), ts.asarray(table), ts.asarray([0, 3]), mode, padding_idx=padding)
    np.testing.assert_allclose(np.asarray(square), np.asarray(again), atol=1e-14)
    f = lambda w: F.embedding_bag(ts.asarray(index), w, ts.asarray(offsets), mode, padding_idx=padding)  # noqa: E731
    check_gradients(f, table)


def test_bags_may_weigh_their_rows_and_name_their_end():
    table, index, factors = numbers(5, 2), np.array([4, 0, 2]), numbers(3, seed=1)
    offsets = ts.asarray([0, 1, 3])
    f = lambda w, p: F.embedding_bag(ts.asarray(index), w, offsets, "sum", p, include_last_offset=True)  # noqa: E731
    rows = table[index] * factors[:, None]
    got = f(ts.asarray(table), ts.asarray(factors))
    np.testing.assert_allclose(np.asarray(got), [rows[0], rows[1] + rows[2]], atol=1e-12)
    check_gradients(f, table, factors)
    check_captured(f, table, factors)


def test_bilinear_forms():
    x, y, w, b = numbers(2, 4, 3), numbers(2, 4, 5, seed=1), numbers(6, 3, 5, seed=2), numbers(6, seed=3)
    got = F.bilinear(*map(ts.asarray, (x, y, w, b)))
    np.testing.assert_allclose(np.asarray(got), np.einsum("abi,oij,abj->abo", x, w, y) + b, atol=1e-12)
    check_gradients(F.bilinear, x[:1, :2], y[:1, :2], w[:2], b[:2])
    layer = nn.Bilinear(3, 5, 6)
    assert [(name, value.shape) for name, value in layer.state_dict().items()] == [
        ("weight", (6, 3, 5)),
        ("bias", (6,)),
    ]


REFUSED = {
    "offsets": (lambda: F.embedding_bag(ts.asarray([1]), ts.ones((3, 2))), ArgumentError),
    "mode": (lambda: nn.EmbeddingBag(3, 2, mode="product"), ArgumentError),
    "factors of a mean": (
        lambda: F.embedding_bag(ts.asarray([[1]]), ts.ones((3, 2)), None, "mean", ts.ones((1, 1))),
        ArgumentError,
    ),
    "padding": (lambda: nn.EmbeddingBag(3, 2, padding_idx=3), ArgumentError),
    "row": (lambda: F.embedding_bag(ts.asarray([[3]]), ts.ones((3, 2))), IndexRangeError),
    "leading axes": (lambda: F.bilinear(ts.ones((2, 3)), ts.ones((3, 3)), ts.ones((1, 3, 3))), ShapeError),
    "sizes of an axis": (lambda: nn.Unflatten(1, (2, 2))(ts.ones((1, 5))), ShapeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()


def test_an_open_size_is_what_is_left():
    assert nn.Unflatten(-1, (-1, 3))(ts.ones((2, 12))).shape == (2, 4, 3)
