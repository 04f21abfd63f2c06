"""Attention and positions against NumPy: masks, shared heads, rows without keys, projections, angles."""

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, DTypeError, ShapeError

F = nn.functional
attend = F.scaled_dot_product_attention


def weights_of(scores):
    """Gives the softmax of each row, zeros where all scores are -inf."""
    top = scores.max(-1, keepdims=True)
    parts = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = parts.sum(-1, keepdims=True)
    return np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)


def attention(q, k, v, mask=None, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    return weights_of(scores) @ v


Q, K, V = numbers(2, 3, 4, 5), numbers(2, 3, 6, 5, seed=1), numbers(2, 3, 6, 2, seed=2)
OPEN = numbers(4, 6, seed=3) > 0
OPEN[1] = False
MASKS = {
    "none": None,
    "bools": OPEN,
    "bools of each head": numbers(2, 3, 4, 6, seed=4) > -1,
    "numbers": numbers(3, 4, 6, seed=5),
    "numbers with gaps": np.where(OPEN, numbers(4, 6, seed=6), -np.inf),
    "a row for all": numbers(6, seed=7),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=list(MASKS))
@pytest.mark.parametrize("scale", [None, 0.3])
def test_values_are_weighed_by_the_fit_of_keys(mask, scale):
    given = None if mask is None else ts.asarray(mask)
    got = attend(ts.asarray(Q), ts.asarray(K), ts.asarray(V), given, scale=scale)
    np.testing.assert_allclose(np.asarray(got), attention(Q, K, V, mask, scale), atol=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (6, 4), (5, 5)])
def test_a_causal_row_sees_keys_up_to_its_own(rows, columns):
    q, k, v = numbers(rows, 3), numbers(columns, 3, seed=1), numbers(columns, 2, seed=2)
    got = attend(ts.asarray(q), ts.asarray(k), ts.asarray(v), is_causal=True)
    np.testing.assert_allclose(np.asarray(got), attention(q, k, v, np.tri(rows, columns, dtype=bool)), atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(150, 1200), (700, 300)])
def test_long_sequences_give_what_weights_in_memory_give(causal, rows, columns):
    shapes = [(2, rows, 8), (2, columns, 8), (2, columns, 4)]
    arrays = [numbers(*shape, seed=seed).astype(np.float32) for seed, shape in enumerate(shapes)]
    seed = ts.asarray(numbers(2, rows, 4, seed=9).astype(np.float32))
    mask = ts.asarray(np.tri(rows, columns, dtype=bool) if causal else np.ones((rows, columns), bool))
    found = []
    # With a mask all weights are in memory.
    for options in ({"is_causal": causal}, {"attn_mask": mask}):
        operands = [ts.asarray(array).requires_grad_() for array in arrays]
        result = attend(*operands, **options)
        ts.sum(result * seed).backward()
        found.append([np.asarray(result.detach()), *(np.asarray(operand.grad) for operand in operands)])
    for blocks, whole in zip(*found, strict=True):
        np.testing.assert_allclose(blocks, whole, rtol=1e-4, atol=1e-5)


def test_memory_grows_with_the_length_of_sequences():
    @ts.compile
    def gradient(q):
        return ts.grad(lambda x: ts.sum(attend(x, x, x, is_causal=True) ** 2))(q)

    taken = [gradient.memory(ts.ones((1, length, 16))).working for length in (512, 1024)]
    assert taken[1] < 3 * taken[0] < 3 * 512 * 512 * 4, taken


def test_weights_that_nobody_asks_for_are_not_kept():
    attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def gradient(need_weights, length):
        x = ts.asarray(numbers(1, length, 8).astype(np.float32))

        @ts.compile
        def run(x):
            return ts.grad(lambda x: ts.sum(attention(x, x, x, need_weights=need_weights)[0] ** 2))(x)

        return run.memory(x).working, np.asarray(run(x))

    (without, slope), (with_weights, wanted) = gradient(False, 512), gradient(True, 512)
    assert without < with_weights / 4
    np.testing.assert_allclose(slope, wanted, rtol=1e-4, atol=1e-6)


def test_heads_of_keys_are_shared_in_turn():
    q, k, v = numbers(2, 6, 4, 3), numbers(2, 2, 5, 3, seed=1), numbers(2, 2, 5, 3, seed=2)
    got = attend(ts.asarray(q), ts.asarray(k), ts.asarray(v), enable_gqa=True)
    want = attention(q, np.repeat(k, 3, axis=1), np.repeat(v, 3, axis=1))
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)


def test_a_row_without_keys_gives_zeros_and_takes_no_gradient():
    q = ts.asarray(Q).requires_grad_()
    y = attend(q, ts.asarray(K), ts.asarray(V), ts.asarray(OPEN))
    assert np.abs(np.asarray(y)[..., 1, :]).max() == 0
    ts.sum(y).backward()
    gradient = np.asarray(q.grad)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[..., 1, :]).max() == 0


@pytest.mark.parametrize("mask", [None, OPEN, "causal"], ids=["plain", "mask", "causal"])
def test_gradients_are_differences(mask):
    given = ts.asarray(mask) if isinstance(mask, np.ndarray) else None

    def f(q, k, v):
        return attend(q, k, v, given, is_causal=isinstance(mask, str))

    check_gradients(f, Q[0, :1], K[0, :1], V[0, :1])
    check_captured(f, Q, K, V)


def test_numbers_of_a_mask_may_be_trained():
    check_gradients(lambda m: attend(ts.asarray(Q), ts.asarray(K), ts.asarray(V), m), numbers(4, 6))


def test_dropped_weights_are_made_up_for_by_the_others():
    ts.manual_seed(3)
    y = attend(ts.zeros((500, 1)), ts.zeros((2000, 1)), ts.ones((2000, 1)), dropout_p=0.5)
    assert float(ts.mean(y)) == pytest.approx(1.0, abs=0.02)
    assert float(ts.std(y)) > 0.005


def mapped(layer, query, key, value, mask, heads):
    """Runs a layer with batches first in NumPy; the mask is added to the scores of each head."""
    state = {name: np.asarray(tensor) for name, tensor in layer.state_dict().items()}
    width = layer.embed_dim
    whole = state.get("in_proj_weight")
    maps = np.split(whole, 3) if whole is not None else [state[f"{name}_proj_weight"] for name in "qkv"]
    biases = np.split(state.get("in_proj_bias", np.zeros(3 * width)), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), maps, biases, strict=True))
    if "bias_k" in state:
        k, v = (
            np.concatenate([x, np.broadcast_to(extra, (len(x), 1, width))], axis=1)
            for x, extra in ((k, state["bias_k"]), (v, state["bias_v"]))
        )
    split = lambda x: x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)  # noqa: E731
    q, k, v = split(q), split(k), split(v)
    if layer.add_zero_attn:
        k, v = (np.concatenate([x, np.zeros((*x.shape[:2], 1, x.shape[3]))], axis=2) for x in (k, v))
    mask = np.pad(mask, [(0, 0)] * 3 + [(0, k.shape[2] - mask.shape[3])])
    weights = weights_of(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]) + mask)
    y = (weights @ v).swapaxes(1, 2).reshape(*query.shape[:2], width)
    return y @ state["out_proj.weight"].T + state.get("out_proj.bias", 0.0), weights


LAYERS = {
    "plain": {},
    "no bias": {"bias": False},
    "trained key": {"add_bias_kv": True},
    "zero key": {"add_zero_attn": True, "add_bias_kv": True},
    "other widths": {"kdim": 3, "vdim": 5},
}


@pytest.mark.parametrize("kind", ["none", "bools", "numbers", "both", "each head", "causal"])
@pytest.mark.parametrize("options", LAYERS.values(), ids=list(LAYERS))
def test_a_layer_maps_and_attends_in_heads(options, kind):
    layer = nn.MultiheadAttention(6, 2, batch_first=True, dtype=ts.float64, **options)
    for param in layer.parameters():
        nn.init.normal_(param)
    query, key = numbers(3, 4, 6), numbers(3, 5, layer.kdim, seed=1)
    value = numbers(3, 5, layer.vdim, seed=2)
    hidden, padding = numbers(4, 5, seed=3) > 0.5, numbers(3, 5, seed=4) > 1
    each, added = numbers(6, 4, 5, seed=5) > 1, numbers(4, 5, seed=6)
    masks, want = {}, np.zeros((3, 2, 4, 5))
    if kind == "bools":
        masks, want = {"attn_mask": hidden, "key_padding_mask": padding}, want - np.where(hidden, np.inf, 0)
    if kind == "numbers":
        masks, want = {"attn_mask": added}, want + added
    if kind == "both":
        masks, want = {"attn_mask": added, "key_padding_mask": padding}, want + added
    if kind == "each head":
        masks, want = {"attn_mask": each}, want - np.where(each.reshape(3, 2, 4, 5), np.inf, 0)
    if kind == "causal":
        want = want - np.where(np.tri(4, 5), 0, np.inf)
    if "key_padding_mask" in masks:
        want = want - np.where(padding, np.inf, 0)[:, None, None]
    masks = {name: ts.asarray(mask) for name, mask in masks.items()}
    tensors = [ts.asarray(x) for x in (query, key, value)]
    y, weights = layer(*tensors, is_causal=kind == "causal", average_attn_weights=False, **masks)
    expected, expected_weights = mapped(layer, query, key, value, want, 2)
    np.testing.assert_allclose(np.asarray(y), expected, atol=1e-10)
    np.testing.assert_allclose(np.asarray(weights), expected_weights, atol=1e-10)
    y, weights = layer(*tensors, is_causal=kind == "causal", **masks)
    np.testing.assert_allclose(np.asarray(weights), expected_weights.mean(1), atol=1e-10)


def test_layouts_agree():
    x = numbers(3, 4, 6)
    layer = nn.MultiheadAttention(6, 3, dtype=ts.float64)
    first = nn.MultiheadAttention(6, 3, batch_first=True, dtype=ts.float64)
    first.load_state_dict(layer.state_dict())
    want, weights = first(*[ts.asarray(x)] * 3)
    turned = ts.asarray(x.swapaxes(0, 1))
    got, none = layer(turned, turned, turned, need_weights=False)
    assert none is None
    np.testing.assert_allclose(np.asarray(got).swapaxes(0, 1), np.asarray(want), atol=1e-12)
    alone, one = layer(*[ts.asarray(x[1])] * 3)
    np.testing.assert_allclose(np.asarray(alone), np.asarray(want)[1], atol=1e-12)
    np.testing.assert_allclose(np.asarray(one), np.asarray(weights)[1], atol=1e-12)
    # Three equal tensors that are not one object go another way.
    apart, _ = first(*[ts.asarray(x) for _ in range(3)])
    np.testing.assert_allclose(np.asarray(apart), np.asarray(want), atol=1e-12)


def test_state_is_named_and_drawn_as_torchs():
    layer = nn.MultiheadAttention(8, 2, add_bias_kv=True)
    names = ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"]
    assert list(layer.state_dict()) == names
    assert np.abs(np.asarray(layer.in_proj_weight)).max() <= np.sqrt(6 / (24 + 8))
    assert float(ts.sum(ts.abs(layer.in_proj_bias))) == 0
    apart = nn.MultiheadAttention(8, 2, bias=False, kdim=3)
    assert list(apart.state_dict()) == ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"]


def test_a_layer_is_captured():
    layer = nn.MultiheadAttention(4, 2, batch_first=True, dtype=ts.float64)
    check_captured(lambda x: layer(x, x, x), numbers(2, 3, 4))
    check_gradients(lambda x: layer(x, x, x, is_causal=True), numbers(1, 3, 4))


def turned(x, positions, base, interleaved):
    """Turns pairs as complex numbers."""
    half = x.shape[-1] // 2
    angles = positions[:, None] * base ** (-np.arange(half) / half)
    pair = (x[..., 0::2] + 1j * x[..., 1::2]) if interleaved else (x[..., :half] + 1j * x[..., half:])
    pair = pair * np.exp(1j * angles)
    parts = [pair.real, pair.imag]
    return np.stack(parts, axis=-1).reshape(x.shape) if interleaved else np.concatenate(parts, axis=-1)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_pairs_turn_with_their_position(interleaved):
    x, places = numbers(2, 5, 6), np.array([3, 0, 1, 7, 7])
    for positions, given in ((np.arange(5), None), (places, ts.asarray(places))):
        got = nn.RotaryEmbedding(6, 100.0, interleaved)(ts.asarray(x), given)
        np.testing.assert_allclose(np.asarray(got), turned(x, positions, 100.0, interleaved), atol=1e-12)
    check_gradients(lambda x: F.rotary(x, interleaved=interleaved), x[:1])


def test_products_of_turned_vectors_depend_on_the_distance_alone():
    q, k = numbers(8), numbers(8, seed=1)
    tile = lambda x: F.rotary(ts.asarray(np.tile(x, (6, 1))))  # noqa: E731
    scores = np.asarray(tile(q) @ ts.matrix_transpose(tile(k)))
    for distance in range(-4, 5):
        assert np.ptp(np.diagonal(scores, distance)) < 1e-12


@pytest.mark.parametrize("width", [6, 5])
def test_waves_are_those_of_the_paper(width):
    place, feature = np.mgrid[:4, :width]
    angles = place / 10000 ** ((feature - feature % 2) / width)
    want = np.where(feature % 2, np.cos(angles), np.sin(angles))
    got = F.sinusoidal_positions(4, width, dtype=ts.float64)
    np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)
    x = numbers(2, 4, width)
    np.testing.assert_allclose(np.asarray(nn.SinusoidalPositions()(ts.asarray(x))), x + want, atol=1e-12)


ONES = ts.ones((2, 3, 4))
REFUSED = {
    "widths": (lambda: attend(ONES, ts.ones((2, 3, 5)), ONES), ShapeError),
    "values": (lambda: attend(ONES, ONES, ts.ones((2, 2, 4))), ShapeError),
    "mask": (lambda: attend(ONES, ONES, ONES, ts.ones((2, 3))), ShapeError),
    "mask of integers": (lambda: attend(ONES, ONES, ONES, ts.asarray([1, 0, 1])), DTypeError),
    "mask and causal": (lambda: attend(ONES, ONES, ONES, ts.ones((3, 3)), is_causal=True), ArgumentError),
    "shared heads": (lambda: attend(ts.ones((3, 3, 4)), ONES, ONES, enable_gqa=True), ShapeError),
    "dropout": (lambda: attend(ONES, ONES, ONES, dropout_p=2.0), ArgumentError),
    "heads": (lambda: nn.MultiheadAttention(6, 4), ArgumentError),
    "axes": (lambda: nn.MultiheadAttention(4, 2)(ONES, ONES, ONES[0]), ShapeError),
    "mask of a layer": (lambda: nn.MultiheadAttention(4, 2)(*[ONES] * 3, attn_mask=ts.ones((3, 3))), ShapeError),
    "padding": (lambda: nn.MultiheadAttention(4, 2)(ONES, ONES, ONES, ts.ones((3, 3))), ShapeError),
    "padding of integers": (lambda: nn.MultiheadAttention(4, 2)(*[ONES] * 3, ts.asarray([[1, 0]] * 3)), DTypeError),
    "odd width": (lambda: nn.RotaryEmbedding(5), ArgumentError),
    "odd input": (lambda: F.rotary(ts.ones((2, 3))), ShapeError),
    "positions": (lambda: F.rotary(ts.ones((2, 4)), ts.asarray([1, 2, 3])), ShapeError),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=list(REFUSED))
def test_misuse_is_refused(call, error):
    with pytest.raises(error):
        call()
