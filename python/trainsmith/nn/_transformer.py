"""Layers of transformers."""

from collections.abc import Callable
from typing import Literal, final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError
from trainsmith.nn import functional
from trainsmith.nn._attention import MultiheadAttention
from trainsmith.nn._dropout import Dropout
from trainsmith.nn._linear import Linear
from trainsmith.nn._module import Module
from trainsmith.nn._normalisation import LayerNorm

Activation = Literal["relu", "gelu"] | Callable[[Tensor], Tensor]


def chosen(op: str, activation: Activation) -> Callable[[Tensor], Tensor]:
    """Gives an activation by its name, or the function itself.

    Raises:
        ArgumentError: another name.
    """
    if callable(activation):
        return activation
    known = {"relu": functional.relu, "gelu": functional.gelu}
    if activation not in known:
        raise problem(ArgumentError, op, "activation relu, gelu or a function", repr(activation))
    return known[activation]


@final
class TransformerEncoderLayer(Module):
    """Lets every element of a sequence look at all others, then maps each by itself.

    x + attention(x), then x + W₂ f(W₁ x + b₁) + b₂, each normalised afterwards, or with `norm_first` before.

    Args:
        d_model: E, number of features.
        nhead: number of heads, a divisor of E.
        dim_feedforward: F, features between the two maps.
        dropout: share dropped of attention weights, of features between the maps, and of both summands.
        activation: f: `relu`, `gelu`, or a function.
        layer_norm_eps: added to the variance in both norms.
        batch_first: whether inputs have shape (n, length, E) instead of (length, n, E).
        norm_first: whether to normalise the input of each part instead of its result.
        bias: whether maps and norms have summands.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        self_attn: the attention, a `MultiheadAttention`.
        linear1: W₁ and b₁.
        linear2: W₂ and b₂.
        norm1: of the attention.
        norm2: of the maps.

    Raises:
        ArgumentError: sizes that do not fit, or another activation.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)(ts.ones((3, 5, 8))).shape
        (3, 5, 8)

    Source: Vaswani et al. 2017, section 3.1; Xiong et al. 2020 for `norm_first`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias=bias, batch_first=batch_first, device=device, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = chosen("TransformerEncoderLayer", activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Gives a sequence of the same shape.

        Args:
            src: shape (length, n, E), with `batch_first` (n, length, E), or (length, E).
            src_mask: as `attn_mask` of `MultiheadAttention`.
            src_key_padding_mask: as its `key_padding_mask`.
            is_causal: whether no element sees later ones; a `src_mask` counts instead.
        """
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = src + self._attend(self.norm1(src), *masks)
            return x + self._map(self.norm2(x))
        x = self.norm1(src + self._attend(src, *masks))
        return self.norm2(x + self._map(x))

    def _attend(self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> Tensor:
        y, _ = self.self_attn(x, x, x, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        return self.dropout1(y)

    def _map(self, x: Tensor) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


@final
class TransformerDecoderLayer(Module):
    """Lets every element of a sequence look at its own sequence, then at another one, then maps each by itself.

    x + attention(x), then x + attention(x, memory), then x + W₂ f(W₁ x + b₁) + b₂, each normalised afterwards, or with
    `norm_first` before.

    Args:
        d_model: E, number of features of both sequences.
        nhead: number of heads, a divisor of E.
        dim_feedforward: F, features between the two maps.
        dropout: share dropped of attention weights, of features between the maps, and of all summands.
        activation: f: `relu`, `gelu`, or a function.
        layer_norm_eps: added to the variance in all norms.
        batch_first: whether inputs have shape (n, length, E) instead of (length, n, E).
        norm_first: whether to normalise the input of each part instead of its result.
        bias: whether maps and norms have summands.
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        self_attn: the attention to the own sequence.
        multihead_attn: the attention to the other one.
        linear1: W₁ and b₁.
        linear2: W₂ and b₂.
        norm1: of the first attention; `norm2` of the second one, `norm3` of the maps.

    Raises:
        ArgumentError: sizes that do not fit, or another activation.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> layer = nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
        >>> layer(ts.ones((3, 5, 8)), ts.ones((3, 7, 8))).shape
        (3, 5, 8)

    Source: Vaswani et al. 2017, section 3.1; Xiong et al. 2020 for `norm_first`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()

        def attention() -> MultiheadAttention:
            options = {"bias": bias, "batch_first": batch_first}
            return MultiheadAttention(d_model, nhead, dropout, **options, device=device, dtype=dtype)

        self.self_attn = attention()
        self.multihead_attn = attention()
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = chosen("TransformerDecoderLayer", activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Gives a sequence of the shape of `tgt`.

        Args:
            tgt: shape (length, n, E), with `batch_first` (n, length, E), or (length, E).
            memory: what the second attention sees, of another length.
            tgt_mask: `attn_mask` of the first attention.
            memory_mask: `attn_mask` of the second one.
            tgt_key_padding_mask: `key_padding_mask` of the first attention.
            memory_key_padding_mask: `key_padding_mask` of the second one.
            tgt_is_causal: whether no element sees later ones; a `tgt_mask` counts instead.
            memory_is_causal: likewise for the second attention.
        """

        def attend(x: Tensor) -> Tensor:
            masks = {"attn_mask": tgt_mask, "is_causal": tgt_is_causal, "key_padding_mask": tgt_key_padding_mask}
            return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

        def look(x: Tensor) -> Tensor:
            masks = {"attn_mask": memory_mask, "is_causal": memory_is_causal}
            padding = memory_key_padding_mask
            y, _ = self.multihead_attn(x, memory, memory, padding, need_weights=False, **masks)
            return self.dropout2(y)

        if self.norm_first:
            x = tgt + attend(self.norm1(tgt))
            x = x + look(self.norm2(x))
            return x + self._map(self.norm3(x))
        x = self.norm1(tgt + attend(tgt))
        x = self.norm2(x + look(x))
        return self.norm3(x + self._map(x))

    def _map(self, x: Tensor) -> Tensor:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
