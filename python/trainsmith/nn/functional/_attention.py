"""Attention, and positions as angles."""

from trainsmith._core import DType, Tensor
from trainsmith.nn.functional._call import call


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Gives for each query the mean of the values, weighed by how well their keys fit.

    y = softmax(q kᵀ scale + mask) v. On the CPU, in float32 and float64 without `attn_mask` and dropout, the weights of
    some queries at a time are computed, and anew for gradients, so memory grows with L + S. Else it grows with L·S.

    Args:
        query: shape (..., L, E), floating.
        key: shape (..., S, E).
        value: shape (..., S, F).
        attn_mask: broadcasts to (..., L, S): bools, true where a key may be seen, or numbers that are added to the
            scores. A query that may see no key gives zeros, and its gradients are zeros.
        dropout_p: share of the weights that is dropped; always, so pass 0 in evaluation.
        is_causal: whether query i sees no key after key i; not together with a mask.
        scale: factor of the scores, 1/√E where None.
        enable_gqa: whether query has a multiple of the heads (axis -3) of key and value, which are shared in turn.

    Returns:
        Shape (..., L, F).

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: both a mask and `is_causal`, or `dropout_p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> q = k = ts.asarray([[0.0], [0.0]])
        >>> nn.functional.scaled_dot_product_attention(q, k, ts.asarray([[1.0], [3.0]]), is_causal=True).tolist()
        [[1.0], [2.0]]

    Source: Vaswani et al. 2017, equation 1; Ainslie et al. 2023 for shared heads; Dao et al. 2022 for
        weights in blocks.
    """
    options = {"dropout_p": dropout_p, "is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}
    return call("scaled_dot_product_attention", query, key, value, attn_mask, **options)


def rotary(input: Tensor, positions: Tensor | None = None, base: float = 10000.0, interleaved: bool = False) -> Tensor:
    """Turns each pair of features by an angle that grows with the position.

    (a, b) → (a cos θ - b sin θ, b cos θ + a sin θ), θ = p · base^(-2i/E) for pair i at position p. Products of two
    turned vectors depend on the distance of their positions alone.

    Args:
        input: shape (..., L, E), floating, E even; queries or keys.
        positions: broadcasts to (..., L); 0, 1, 2, ... where None.
        base: of the frequencies.
        interleaved: whether pairs are neighbours (2i, 2i + 1); else features i and i + E/2.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ShapeError: an odd E, or positions that do not fit.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x = nn.functional.rotary(ts.asarray([[1.0, 0.0], [1.0, 0.0]]))
        >>> [round(float(v), 4) for v in x[1]]
        [0.5403, 0.8415]

    Source: Su et al. 2021, equation 34.
    """
    return call("rotary", input, positions, base=float(base), interleaved=interleaved)


def sinusoidal_positions(
    length: int, width: int, base: float = 10000.0, dtype: DType | None = None, device: str | None = None
) -> Tensor:
    """Gives a wave for each pair of features, to be added to a sequence.

    P[p, 2i] = sin(p · base^(-2i/width)), P[p, 2i + 1] = cos of the same.

    Args:
        length: number of positions.
        width: number of features.
        base: of the frequencies.
        dtype: of the result, floating; float32 where None.
        device: of the result.

    Returns:
        Shape (length, width).

    Example:
        >>> from trainsmith import nn
        >>> nn.functional.sinusoidal_positions(2, 2)[0].tolist()
        [0.0, 1.0]

    Source: Vaswani et al. 2017, section 3.5.
    """
    options = {"shape": (length, width), "base": float(base), "dtype": dtype, "device": device or "cpu"}
    return call("sinusoidal_positions", **options)
