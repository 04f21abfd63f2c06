"""Other sizes: interpolation, and channels as pixels."""

import math
from collections.abc import Sequence
from typing import Literal

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn.functional._adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from trainsmith.nn.functional._call import call

Mode = Literal["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"]
_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_CORE = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: Mode = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resizes signals, images or volumes.

    Output i of an axis lies at the place (i + 1/2) s - 1/2 of the input, with s = 1 / scale_factor, or the input's size
    by the output's; with `align_corners` at i (L - 1) / (L' - 1). `nearest` takes element ⌊i s⌋.

    Args:
        input: shape (n, channels, ...) with one to three last axes, floating.
        size: new size of the last axes, one for all or one each.
        scale_factor: factor of the sizes instead, one for all or one each; ⌊size · factor⌋ is the new size.
        mode: `nearest` or `nearest-exact` (any axes), `linear` (one), `bilinear` and `bicubic` (two), `trilinear`
            (three), or `area`, which is adaptive average pooling.
        align_corners: whether the centres of the outermost elements stay, instead of their borders; only for the
            linear and cubic modes.
        recompute_scale_factor: whether s is made of the sizes even where there is a `scale_factor`.
        antialias: not offered; use `area` to make images smaller.

    Returns:
        Shape (n, channels, *size), dtype of `input`.

    Raises:
        ShapeError: an input whose axes do not fit the mode, or an empty one.
        ArgumentError: not exactly one of `size` and `scale_factor`, or options that do not fit the mode.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> x = ts.asarray([[[1.0, 3.0]]])
        >>> nn.functional.interpolate(x, scale_factor=2).tolist()
        [[[1.0, 1.0, 3.0, 3.0]]]
        >>> nn.functional.interpolate(x, size=3, mode="linear", align_corners=True).tolist()
        [[[1.0, 2.0, 3.0]]]

    Source: Keys 1981 for the cubic weights, with a = -0.75 as in torch.
    """
    axes = input.ndim - 2
    _check(input, mode, align_corners, antialias)
    new, factors = _sizes(input, size, scale_factor)
    if mode == "area":
        pool = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}[axes]
        return pool(input, new[0] if axes == 1 else new)  # pyright: ignore[reportArgumentType]
    options: dict[str, object] = {"size": new, "mode": _CORE.get(mode, mode), "align_corners": bool(align_corners)}
    if factors is not None and not recompute_scale_factor:
        options |= {f"scale{place}": float(factor) for place, factor in enumerate(factors)}
    return call("interpolate", input, **options)


def _check(input: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    axes = input.ndim - 2
    if mode not in (*_AXES, "nearest", "nearest-exact", "area"):
        known = ", ".join(["nearest", "nearest-exact", *_AXES, "area"])
        raise problem(ArgumentError, "interpolate", f"a mode among {known}", repr(mode))
    if not 1 <= axes <= 3 or _AXES.get(mode, axes) != axes:
        rule = f"an input of shape (n, channels, ...) with {_AXES.get(mode, 'one to three')} last axes for mode {mode}"
        raise problem(ShapeError, "interpolate", rule, str(input.shape))
    if align_corners is not None and mode not in _AXES:
        rule = "align_corners only with linear, bilinear, bicubic or trilinear; leave it out"
        raise problem(ArgumentError, "interpolate", rule, f"mode {mode}")
    if antialias:
        raise problem(ArgumentError, "interpolate", 'antialias=False; mode "area" makes images smaller', "True")


def _sizes(
    input: Tensor, size: int | Sequence[int] | None, scale_factor: float | Sequence[float] | None
) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    axes = input.ndim - 2
    if (size is None) == (scale_factor is None):
        got = f"size {size} and scale_factor {scale_factor}"
        raise problem(ArgumentError, "interpolate", "either size or scale_factor", got)
    if size is not None:
        new = (size,) * axes if isinstance(size, int) else tuple(size)
        factors = None
    else:
        given = scale_factor or 0.0
        factors = (float(given),) * axes if isinstance(given, int | float) else tuple(map(float, given))
        new = tuple(math.floor(old * factor) for old, factor in zip(input.shape[2:], factors))
    if len(new) != axes or any(one < 1 for one in new):
        rule = f"new sizes of at least 1, one for all {axes} last axes or one each"
        raise problem(ShapeError, "interpolate", rule, f"size {size}, scale_factor {scale_factor} for {input.shape}")
    return new, factors


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Makes groups of channels the pixels of a larger image.

    y[c, r h + i, r w + j] = x[c r² + r i + j, h, w].

    Args:
        input: shape (..., channels · r², height, width).
        upscale_factor: r, at least 1.

    Returns:
        Shape (..., channels, r · height, r · width).

    Raises:
        ShapeError: channels that r² does not divide.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.pixel_shuffle(ts.asarray([[[1]], [[2]], [[3]], [[4]]]), 2).tolist()
        [[[1, 2], [3, 4]]]

    Source: Shi et al. 2016, equation 4.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        rule = f"an input (..., channels, height, width) whose channels are a multiple of upscale_factor² = {r * r}"
        raise problem(ShapeError, "pixel_shuffle", rule, str(input.shape))
    *lead, channels, height, width = input.shape
    channels, n = channels // (r * r), len(lead)
    x = call("reshape", input, shape=(*lead, channels, r, r, height, width))
    x = call("permute_dims", x, axes=(*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return call("reshape", x, shape=(*lead, channels, r * height, r * width))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Makes the pixels of small squares channels; undoes `pixel_shuffle`.

    Args:
        input: shape (..., channels, r · height, r · width).
        downscale_factor: r, at least 1.

    Returns:
        Shape (..., channels · r², height, width).

    Raises:
        ShapeError: sizes that r does not divide.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.pixel_unshuffle(ts.asarray([[[1, 2], [3, 4]]]), 2).tolist()
        [[[1]], [[2]], [[3]], [[4]]]

    Source: Shi et al. 2016, equation 4, the other way.
    """
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-1] % r or input.shape[-2] % r:
        rule = f"an input (..., channels, height, width) whose height and width are multiples of {r}"
        raise problem(ShapeError, "pixel_unshuffle", rule, str(input.shape))
    *lead, channels, height, width = input.shape
    height, width, n = height // r, width // r, len(lead)
    x = call("reshape", input, shape=(*lead, channels, height, r, width, r))
    x = call("permute_dims", x, axes=(*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return call("reshape", x, shape=(*lead, channels * r * r, height, width))
