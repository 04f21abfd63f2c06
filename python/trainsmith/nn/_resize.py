"""Layers that change the sizes of images."""

from collections.abc import Sequence
from typing import final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._resize import Mode


@final
class Upsample(Module):
    """Resizes signals, images or volumes; `functional.interpolate` as a layer.

    Args:
        size: new size of the last axes, one for all or one each.
        scale_factor: factor of the sizes instead.
        mode: `nearest`, `linear`, `bilinear`, `bicubic`, `trilinear`, and others as in `functional.interpolate`.
        align_corners: whether the centres of the outermost elements stay, instead of their borders.
        recompute_scale_factor: whether the distance of outputs is made of the sizes alone.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.Upsample(scale_factor=2, mode="bilinear")(ts.ones((1, 3, 4, 4))).shape
        (1, 3, 8, 8)
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: Mode = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor
        self.mode: Mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, ...) to one with other last sizes."""
        options = (self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)
        return functional.interpolate(input, *options)

    def extra_repr(self) -> str:
        """Names sizes and mode."""
        sizes = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{sizes}, mode={self.mode!r}"


@final
class UpsamplingNearest2d(Module):
    """Resizes images by repeating pixels; `functional.interpolate` as a layer.

    Args:
        size: new height and width, or one for both.
        scale_factor: factor of the sizes instead.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.UpsamplingNearest2d(scale_factor=2)(ts.ones((1, 3, 4, 4))).shape
        (1, 3, 8, 8)
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, height, width) to one with other last sizes."""
        return functional.interpolate(input, self.size, self.scale_factor, "nearest")

    def extra_repr(self) -> str:
        """Names the sizes."""
        return f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"


@final
class UpsamplingBilinear2d(Module):
    """Resizes images between pixels, whose outermost stay at the corners; `functional.interpolate` as a layer.

    Args:
        size: new height and width, or one for both.
        scale_factor: factor of the sizes instead.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.UpsamplingBilinear2d(scale_factor=2)(ts.ones((1, 3, 4, 4))).shape
        (1, 3, 8, 8)
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, height, width) to one with other last sizes."""
        return functional.interpolate(input, self.size, self.scale_factor, "bilinear", True)

    def extra_repr(self) -> str:
        """Names the sizes."""
        return f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"


@final
class PixelShuffle(Module):
    """Makes groups of channels the pixels of a larger image; `functional.pixel_shuffle` as a layer.

    Args:
        upscale_factor: r; r² channels become one with r times the height and width.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.PixelShuffle(2)(ts.ones((1, 8, 3, 3))).shape
        (1, 2, 6, 6)

    Source: Shi et al. 2016, equation 4.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (..., channels · r², height, width) to (..., channels, r · height, r · width)."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Names the factor."""
        return f"upscale_factor={self.upscale_factor}"


@final
class PixelUnshuffle(Module):
    """Makes the pixels of small squares channels; `functional.pixel_unshuffle` as a layer.

    Args:
        downscale_factor: r; a channel becomes r² with a r-th of the height and width.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.PixelUnshuffle(2)(ts.ones((1, 2, 6, 6))).shape
        (1, 8, 3, 3)

    Source: Shi et al. 2016, equation 4, the other way.
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (..., channels, r · height, r · width) to (..., channels · r², height, width)."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Names the factor."""
        return f"downscale_factor={self.downscale_factor}"
