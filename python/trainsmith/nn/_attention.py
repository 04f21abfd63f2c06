"""Attention with several heads."""

from typing import Any, Literal, cast, final

from trainsmith._core import Parameter, Tensor, apply
from trainsmith._dtypes import bool as bool_
from trainsmith._problem import problem
from trainsmith._typing import DTypeLike
from trainsmith.errors import ArgumentError, DTypeError, ShapeError
from trainsmith.nn import functional, init
from trainsmith.nn._linear import Linear
from trainsmith.nn._make import full, parameter, positive
from trainsmith.nn._module import Module


@final
class MultiheadAttention(Module):
    """Lets each query look at all keys, once for each of several heads.

    y = W_o [head_1, ..., head_h] + b_o, head_i = softmax(q_i k_iᵀ / √d) v_i, where q_i, k_i and v_i are affine maps of
    query, key and value to d = embed_dim / num_heads features.

    Args:
        embed_dim: E, features of queries and outputs.
        num_heads: h, a divisor of E.
        dropout: share of the attention weights that is dropped in training.
        bias: whether the maps have summands.
        add_bias_kv: whether a trained key and value are appended.
        add_zero_attn: whether a key and value of zeros are appended.
        kdim: features of keys, E where None.
        vdim: features of values, E where None.
        batch_first: whether inputs have shape (n, length, features) instead of (length, n, features).
        device: of the parameters.
        dtype: of the parameters, floating.

    Attributes:
        in_proj_weight: the maps of query, key and value, one after the other, shape (3E, E); with other `kdim` or
            `vdim` they are apart, `q_proj_weight` (E, E), `k_proj_weight` (E, kdim) and `v_proj_weight` (E, vdim).
        in_proj_bias: their summands, shape (3E,), or None.
        out_proj: W_o and b_o, a `Linear`.
        bias_k: the trained key, shape (1, 1, E), or None.
        bias_v: the trained value, shape (1, 1, E), or None.

    Raises:
        ArgumentError: a size below 1, or heads that do not divide E.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x = ts.ones((2, 5, 8))
        >>> output, weights = nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
        >>> output.shape, weights.shape
        ((2, 5, 8), (2, 5, 5))

    Source: Vaswani et al. 2017, section 3.2.2.
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        positive("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            got = f"{embed_dim} and {num_heads}"
            raise problem(ArgumentError, "MultiheadAttention", "embed_dim that num_heads divides", got)
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.add_zero_attn = add_zero_attn
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        together = self.kdim == embed_dim == self.vdim

        def held(wanted: bool, *shape: int) -> Parameter | None:
            return parameter(shape, dtype, device) if wanted else None

        self.register_parameter("in_proj_weight", held(together, 3 * embed_dim, embed_dim))
        self.register_parameter("q_proj_weight", held(not together, embed_dim, embed_dim))
        self.register_parameter("k_proj_weight", held(not together, embed_dim, self.kdim))
        self.register_parameter("v_proj_weight", held(not together, embed_dim, self.vdim))
        self.register_parameter("in_proj_bias", held(bias, 3 * embed_dim))
        self.register_parameter("bias_k", held(add_bias_kv, 1, 1, embed_dim))
        self.register_parameter("bias_v", held(add_bias_kv, 1, 1, embed_dim))
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new maps from the default generator, and puts the summands to 0."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)
        self.out_proj.reset_parameters()
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Gives outputs, and the weights that each query gives to the keys.

        A query that may see no key gives the output's summand alone, not NaN.

        Args:
            query: shape (L, n, E), with `batch_first` (n, L, E), or (L, E).
            key: shape (S, n, kdim), likewise.
            value: shape (S, n, vdim), likewise.
            key_padding_mask: shape (n, S) or (S,): bools, true for keys that nobody sees, or numbers added to scores.
            need_weights: whether to give the weights too.
            attn_mask: shape (L, S) or (n · heads, L, S): bools, true where a query does not see a key (unlike in
                `functional.scaled_dot_product_attention`), or numbers added to the scores.
            average_attn_weights: whether to give the mean of the weights over the heads.
            is_causal: whether query i sees no key after key i. Where there is an `attn_mask`, that one counts.

        Returns:
            Outputs in the shape of `query`, and weights of shape (n, L, S), or (n, heads, L, S), without n where inputs
            have none; None without `need_weights`.

        Raises:
            ShapeError: shapes that do not fit.
            DTypeError: a mask of integers.
        """
        batched = query.ndim == 3
        if query.ndim not in (2, 3) or {key.ndim, value.ndim} != {query.ndim}:
            got = f"{query.shape}, {key.shape} and {value.shape}"
            raise problem(ShapeError, "MultiheadAttention", "query, key and value with three axes, or two", got)
        q, k, v = self._maps(query, key, value)
        hidden = self._hidden(q, k, key_padding_mask, attn_mask, is_causal)
        k, v, hidden = self._extended(k, v, hidden)
        heads = [self._heads(x) for x in (q, k, v)]
        if self.add_zero_attn:
            zero = full(0.0, (*heads[1].shape[:2], 1, heads[1].shape[3]), k.dtype, k.device)
            heads[1:] = [_joined(x, zero, 2) for x in heads[1:]]
            hidden = _widened(hidden)
        mask = _call("logical_not", hidden) if hidden is not None and hidden.dtype == bool_ else hidden
        options = {"dropout_p": self.dropout if self.training else 0.0, "need_weights": need_weights}
        found = apply("scaled_dot_product_attention", (*heads, mask), options)
        y, weights = cast(tuple[Tensor, Tensor], found) if need_weights else (cast(Tensor, found), None)
        y = _call("permute_dims", y, axes=(0, 2, 1, 3)).reshape((q.shape[0], q.shape[1], self.embed_dim))
        y = self.out_proj(y)
        if average_attn_weights and weights is not None:
            weights = _call("mean", weights, axis=1)
        if not batched:
            return _call("squeeze", y, axis=0), None if weights is None else _call("squeeze", weights, axis=0)
        y = y if self.batch_first else _call("permute_dims", y, axes=(1, 0, 2))
        return y, weights

    def _maps(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """Gives mapped query, key and value of shape (n, length, E)."""
        inputs = [query, key, value]
        if query.ndim == 2:
            inputs = [_call("expand_dims", x, axis=0) for x in inputs]
        elif not self.batch_first:
            inputs = [_call("permute_dims", x, axes=(1, 0, 2)) for x in inputs]
        width = self.embed_dim
        if self.in_proj_weight is not None and query is key is value:
            together = functional.linear(inputs[0], self.in_proj_weight, self.in_proj_bias)
            return [_part(together, -1, place * width, width) for place in range(3)]
        weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        whole = self.in_proj_weight
        if whole is not None:
            weights = [_part(whole, 0, place * width, width) for place in range(3)]
        bias = self.in_proj_bias
        biases = [None if bias is None else _part(bias, 0, place * width, width) for place in range(3)]
        return [functional.linear(x, cast(Tensor, w), b) for x, w, b in zip(inputs, weights, biases)]

    def _heads(self, x: Tensor) -> Tensor:
        """Maps shape (n, length, E) to (n, heads, length, d)."""
        split = x.reshape((x.shape[0], x.shape[1], self.num_heads, self.embed_dim // self.num_heads))
        return _call("permute_dims", split, axes=(0, 2, 1, 3))

    def _hidden(
        self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None, is_causal: bool
    ) -> Tensor | None:
        """Joins the masks to one of shape (n or 1, heads or 1, L or 1, S): bools, true where hidden, or numbers."""
        n, rows, columns = q.shape[0], q.shape[1], k.shape[1]
        parts: list[Tensor] = []
        if mask is not None:
            each = (n * self.num_heads, rows, columns)
            fits: dict[tuple[int, ...], tuple[int, int]] = {(rows, columns): (1, 1), each: (n, self.num_heads)}
            if mask.shape not in fits:
                rule = f"attn_mask of shape {' or '.join(map(str, fits))}"
                raise problem(ShapeError, "MultiheadAttention", rule, str(mask.shape))
            parts.append(mask.reshape((*fits[mask.shape], rows, columns)))
        elif is_causal:
            row, column = (apply("arange", (), {"stop": float(n), "device": q.device}) for n in (rows, columns))
            later = apply("less", (_call("expand_dims", row, axis=1), column))
            parts.append(later.reshape((1, 1, rows, columns)))
        if padding is not None:
            if padding.shape not in ((n, columns), (columns,)) or (padding.ndim == 1 and n != 1):
                rule = f"key_padding_mask of shape {(n, columns)}"
                raise problem(ShapeError, "MultiheadAttention", rule, str(padding.shape))
            parts.append(padding.reshape((n, 1, 1, columns)))
        for part in parts:
            if part.dtype != bool_ and not part.dtype.is_floating:
                raise problem(DTypeError, "MultiheadAttention", "masks of bools or floats", str(part.dtype))
        if not parts:
            return None
        if all(part.dtype == bool_ for part in parts):
            return parts[0] if len(parts) == 1 else apply("logical_or", (parts[0], parts[1]))
        numbers = [_added(part, q) for part in parts]
        return numbers[0] if len(numbers) == 1 else numbers[0] + numbers[1]

    def _extended(self, k: Tensor, v: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Appends the trained key and value, which every query sees."""
        if self.bias_k is None or self.bias_v is None:
            return k, v, hidden
        shape = (k.shape[0], 1, self.embed_dim)
        extra = [_call("broadcast_to", one, shape=shape) for one in (self.bias_k, self.bias_v)]
        return _joined(k, extra[0], 1), _joined(v, extra[1], 1), _widened(hidden)

    def extra_repr(self) -> str:
        """Names the sizes."""
        return f"{self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}, batch_first={self.batch_first}"


Axis = Literal[-1, 0]


def _call(name: str, x: Tensor, **options: Any) -> Tensor:
    return cast(Tensor, apply(name, (x,), options or None))


def _part(x: Tensor, axis: Axis, start: int, size: int) -> Tensor:
    """Gives `size` slices of the first or last axis."""
    place = axis % x.ndim
    starts, sizes = [0] * x.ndim, list(x.shape)
    starts[place], sizes[place] = start, size
    return _call("slice", x, starts=tuple(starts), sizes=tuple(sizes), steps=(1,) * x.ndim)


def _joined(x: Tensor, y: Tensor, axis: int) -> Tensor:
    return cast(Tensor, apply("concat", (x, y), {"axis": axis}))


def _widened(hidden: Tensor | None) -> Tensor | None:
    """Appends a column that every query sees."""
    if hidden is None:
        return None
    return _joined(hidden, full(0, (*hidden.shape[:-1], 1), hidden.dtype, hidden.device), hidden.ndim - 1)


def _added(mask: Tensor, like: Tensor) -> Tensor:
    """Gives a mask as numbers that are added to scores."""
    if mask.dtype != bool_:
        return _call("astype", mask, dtype=like.dtype)
    return _call("astype", apply("where", (mask, -float("inf"), 0.0)), dtype=like.dtype)
