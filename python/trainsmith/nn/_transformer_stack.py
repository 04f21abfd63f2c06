"""Stacks of transformer layers."""

import copy
from typing import final

from trainsmith._core import Tensor, apply
from trainsmith._dtypes import as_dtype, float32
from trainsmith._typing import DTypeLike
from trainsmith.nn import init
from trainsmith.nn._lists import ModuleList
from trainsmith.nn._make import full, positive
from trainsmith.nn._module import Module
from trainsmith.nn._normalisation import LayerNorm
from trainsmith.nn._transformer import Activation, TransformerDecoderLayer, TransformerEncoderLayer


@final
class TransformerEncoder(Module):
    """Applies copies of a `TransformerEncoderLayer` one after the other.

    Args:
        encoder_layer: what is copied; all copies start equal.
        num_layers: number of copies.
        norm: what is applied at the end, or None.
        enable_nested_tensor: taken for torch's sake, without effect.
        mask_check: taken for torch's sake, without effect.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
        >>> nn.TransformerEncoder(layer, 2)(ts.ones((3, 5, 8))).shape
        (3, 5, 8)

    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        positive("TransformerEncoder", num_layers=num_layers)
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.add_module("norm", norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Gives a sequence of the same shape; masks go to every layer."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


@final
class TransformerDecoder(Module):
    """Applies copies of a `TransformerDecoderLayer` one after the other.

    Args:
        decoder_layer: what is copied; all copies start equal.
        num_layers: number of copies.
        norm: what is applied at the end, or None.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
        >>> nn.TransformerDecoder(layer, 2)(ts.ones((3, 5, 8)), ts.ones((3, 4, 8))).shape
        (3, 5, 8)

    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        positive("TransformerDecoder", num_layers=num_layers)
        self.layers = ModuleList(copy.deepcopy(decoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.add_module("norm", norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Gives a sequence of the shape of `tgt`; masks go to every layer."""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


@final
class Transformer(Module):
    """Maps one sequence to another: an encoder, and a decoder that sees its result.

    Args:
        d_model: E, number of features.
        nhead: number of heads, a divisor of E.
        num_encoder_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder.
        dim_feedforward: features between the two maps of a layer.
        dropout: share dropped in training.
        activation: `relu`, `gelu`, or a function.
        custom_encoder: takes the encoder's place.
        custom_decoder: takes the decoder's place.
        layer_norm_eps: added to the variance in all norms.
        batch_first: whether inputs have shape (n, length, E) instead of (length, n, E).
        norm_first: whether layers normalise the input of each part instead of its result.
        bias: whether maps and norms have summands.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        encoder: a `TransformerEncoder` with a norm at its end.
        decoder: a `TransformerDecoder` with a norm at its end.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> model = nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
        >>> model(ts.ones((3, 5, 8)), ts.ones((3, 4, 8))).shape
        (3, 4, 8)

    Source: Vaswani et al. 2017, figure 1; matrices start as in Glorot and Bengio 2010, equation 16.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*sizes, device, dtype), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*sizes, device, dtype), num_decoder_layers, norm()
        )
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        for weight in self.parameters():
            if weight.ndim > 1:
                init.xavier_uniform_(weight)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Gives a sequence of the shape of `tgt`."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: str | None = None, dtype: DTypeLike | None = None) -> Tensor:
        """Gives -inf above the diagonal and 0 elsewhere, shape (sz, sz), to add to scores."""
        kind = as_dtype(dtype) or float32
        zero = full(0.0, (sz, sz), kind, device)
        place = apply("arange", (), {"stop": float(sz), "device": device or "cpu"})
        later = apply("less", (apply("expand_dims", (place,), {"axis": 1}), place))
        return apply("where", (later, -float("inf"), zero))
