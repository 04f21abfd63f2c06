"""Transformer layers and stacks against their formulas, by the layers they are made of."""

import numpy as np
import pytest
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError

ENCODER = [
    *(f"self_attn.{name}" for name in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")),
    *(f"{layer}.{part}" for layer in ("linear1", "linear2", "norm1", "norm2") for part in ("weight", "bias")),
]
DECODER = [
    *(name for name in ENCODER if name.startswith("self_attn")),
    *(name.replace("self_attn", "multihead_attn") for name in ENCODER if name.startswith("self_attn")),
    *(f"{layer}.{part}" for layer in ("linear1", "linear2", "norm1", "norm2", "norm3") for part in ("weight", "bias")),
]


def encoder(norm_first=False, **options):
    layer = nn.TransformerEncoderLayer(
        4, 2, 6, 0.0, "gelu", batch_first=True, norm_first=norm_first, dtype=ts.float64, **options
    )
    return scattered(layer)


def decoder(norm_first=False, **options):
    layer = nn.TransformerDecoderLayer(
        4, 2, 6, 0.0, "gelu", batch_first=True, norm_first=norm_first, dtype=ts.float64, **options
    )
    return scattered(layer)


def scattered(module):
    """Moves norms away from 1 and 0, so that their order shows."""
    for param in module.parameters():
        nn.init.normal_(param, std=0.5)
    return module


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer_attends_then_maps(norm_first):
    layer, x = encoder(norm_first), ts.asarray(numbers(2, 3, 4))
    attend = lambda x: layer.self_attn(x, x, x, is_causal=True)[0]  # noqa: E731
    spread = lambda x: layer.linear2(nn.functional.gelu(layer.linear1(x)))  # noqa: E731
    if norm_first:
        y = x + attend(layer.norm1(x))
        want = y + spread(layer.norm2(y))
    else:
        y = layer.norm1(x + attend(x))
        want = layer.norm2(y + spread(y))
    np.testing.assert_allclose(np.asarray(layer(x, is_causal=True)), np.asarray(want), atol=1e-12)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    np.testing.assert_allclose(np.asarray(layer(x, src_mask=mask)), np.asarray(want), atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder_layer_attends_to_both_sequences(norm_first):
    layer, x, memory = decoder(norm_first), ts.asarray(numbers(2, 3, 4)), ts.asarray(numbers(2, 5, 4, seed=1))
    padding = ts.asarray(np.array([[False] * 5, [False, True, False, True, True]]))
    attend = lambda x: layer.self_attn(x, x, x, is_causal=True)[0]  # noqa: E731
    look = lambda x: layer.multihead_attn(x, memory, memory, padding)[0]  # noqa: E731
    spread = lambda x: layer.linear2(nn.functional.gelu(layer.linear1(x)))  # noqa: E731
    if norm_first:
        y = x + attend(layer.norm1(x))
        y = y + look(layer.norm2(y))
        want = y + spread(layer.norm3(y))
    else:
        y = layer.norm1(x + attend(x))
        y = layer.norm2(y + look(y))
        want = layer.norm3(y + spread(y))
    got = layer(x, memory, tgt_is_causal=True, memory_key_padding_mask=padding)
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), atol=1e-12)


def test_state_names_are_torchs():
    assert list(encoder().state_dict()) == ENCODER
    assert list(decoder().state_dict()) == DECODER
    model = nn.Transformer(4, 2, 1, 1, 6)
    names = [f"encoder.layers.0.{name}" for name in ENCODER] + ["encoder.norm.weight", "encoder.norm.bias"]
    names += [f"decoder.layers.0.{name}" for name in DECODER] + ["decoder.norm.weight", "decoder.norm.bias"]
    assert list(model.state_dict()) == names
    assert not any("bias" in name for name in encoder(bias=False).state_dict())


def test_stacks_apply_copies_of_their_layer():
    x, memory = ts.asarray(numbers(2, 3, 4)), ts.asarray(numbers(2, 5, 4, seed=1))
    layer, norm = encoder(), nn.LayerNorm(4, dtype=ts.float64)
    stack = nn.TransformerEncoder(layer, 2, norm)
    want = norm(layer(layer(x, is_causal=True), is_causal=True))
    np.testing.assert_allclose(np.asarray(stack(x, is_causal=True)), np.asarray(want), atol=1e-12)
    assert stack.layers[0] is not stack.layers[1]
    layer = decoder()
    stack = nn.TransformerDecoder(layer, 2)
    want = layer(layer(x, memory), memory)
    np.testing.assert_allclose(np.asarray(stack(x, memory)), np.asarray(want), atol=1e-12)


def test_a_transformer_decodes_what_it_encoded():
    model = nn.Transformer(4, 2, 1, 2, 6, dropout=0.0, batch_first=True, dtype=ts.float64)
    source, target = ts.asarray(numbers(2, 5, 4)), ts.asarray(numbers(2, 3, 4, seed=1))
    want = model.decoder(target, model.encoder(source), tgt_is_causal=True)
    np.testing.assert_allclose(np.asarray(model(source, target, tgt_is_causal=True)), np.asarray(want), atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_gradients_are_differences_and_captured_steps_agree(norm_first):
    layer, other = encoder(norm_first), decoder(norm_first)
    check_gradients(lambda x: layer(x, is_causal=True), numbers(1, 3, 4), tolerance=1e-5)
    check_gradients(other, numbers(1, 2, 4), numbers(1, 3, 4, seed=1), tolerance=1e-5)
    check_captured(lambda x: layer(x, is_causal=True), numbers(2, 3, 4))
    check_captured(other, numbers(2, 2, 4), numbers(2, 3, 4, seed=1))


def test_padding_hides_elements_from_the_others():
    layer, x = encoder(), numbers(1, 4, 4)
    padding = ts.asarray(np.array([[False, False, True, False]]))
    changed = x.copy()
    changed[:, 2] += 1
    one, two = (np.asarray(layer(ts.asarray(v), src_key_padding_mask=padding)) for v in (x, changed))
    np.testing.assert_allclose(one[:, [0, 1, 3]], two[:, [0, 1, 3]], atol=1e-14)


def test_any_function_may_be_the_activation():
    layer = nn.TransformerEncoderLayer(4, 2, 6, activation=nn.functional.silu, batch_first=True).eval()
    assert layer(ts.ones((1, 2, 4))).shape == (1, 2, 4)
    with pytest.raises(ArgumentError, match="relu, gelu"):
        nn.TransformerDecoderLayer(4, 2, activation="sine")
