"""Pooling layers."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, final

from trainsmith._core import Tensor
from trainsmith.nn import functional
from trainsmith.nn._module import Module

Sizes = int | Sequence[int]
Bins = int | None | Sequence[int | None]


class AbstractMaxPool(Module):
    """What layers share that keep the largest element under a window.

    Args:
        kernel_size: size of the window, one for all axes or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border on both sides, which never wins; at most half the window.
        dilation: distance of two elements of the window.
        return_indices: whether to give the positions of the maxima too.
        ceil_mode: whether a last window may reach past the border.
    """

    pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Maps shape (n, channels, ...), or the same without n, to one with smaller last axes."""
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return type(self).pool(input, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """Names the window."""
        window = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{window}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class AbstractAvgPool(Module):
    """What layers share that take the mean under a window.

    Args:
        kernel_size: size of the window, one for all axes or one each.
        stride: steps between two places; `kernel_size` where None.
        padding: border of zeros on both sides, at most half the window.
        ceil_mode: whether a last window may reach past the border.
        count_include_pad: whether the border counts in the mean.
        divisor_override: what to divide by instead of the number of elements.
    """

    pool: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, ...), or the same without n, to one with smaller last axes."""
        window = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return type(self).pool(input, *window, self.divisor_override)

    def extra_repr(self) -> str:
        """Names the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AbstractAdaptivePool(Module):
    """What layers share that make a given number of bins.

    Args:
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.
    """

    pool: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Bins) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        """Maps shape (n, channels, ...), or the same without n, to the bins of the last axes."""
        return type(self).pool(input, self.output_size)

    def extra_repr(self) -> str:
        """Names the number of bins."""
        return f"output_size={self.output_size}"


class AbstractAdaptiveMaxPool(AbstractAdaptivePool):
    """What layers share that keep the largest element of each bin.

    Args:
        output_size: number of bins of each axis, or one for all; None keeps the size of an axis.
        return_indices: whether to give the positions of the maxima too.
    """

    def __init__(self, output_size: Bins, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """Maps shape (n, channels, ...), or the same without n, to the bins of the last axes."""
        return type(self).pool(input, self.output_size, self.return_indices)


@final
class MaxPool1d(AbstractMaxPool):
    """Keeps the largest element of signals under each place of a window.

    `functional.max_pool1d` as a layer. Arguments as in `AbstractMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.MaxPool1d(2)(ts.ones((1, 2, 8))).shape
        (1, 2, 4)
    """

    pool = staticmethod(functional.max_pool1d)


@final
class MaxPool2d(AbstractMaxPool):
    """Keeps the largest element of images under each place of a window.

    `functional.max_pool2d` as a layer. Arguments as in `AbstractMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.MaxPool2d(2)(ts.ones((1, 2, 8, 8))).shape
        (1, 2, 4, 4)
    """

    pool = staticmethod(functional.max_pool2d)


@final
class MaxPool3d(AbstractMaxPool):
    """Keeps the largest element of volumes under each place of a window.

    `functional.max_pool3d` as a layer. Arguments as in `AbstractMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.MaxPool3d(2)(ts.ones((1, 2, 8, 8, 8))).shape
        (1, 2, 4, 4, 4)
    """

    pool = staticmethod(functional.max_pool3d)


@final
class AvgPool1d(AbstractAvgPool):
    """Takes the mean of signals under each place of a window.

    `functional.avg_pool1d` as a layer. Arguments as in `AbstractAvgPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AvgPool1d(2)(ts.ones((1, 2, 8))).shape
        (1, 2, 4)
    """

    pool = staticmethod(functional.avg_pool1d)

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, length), or the same without n, to a shorter length."""
        window = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return type(self).pool(input, *window)


@final
class AvgPool2d(AbstractAvgPool):
    """Takes the mean of images under each place of a window.

    `functional.avg_pool2d` as a layer. Arguments as in `AbstractAvgPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AvgPool2d(2)(ts.ones((1, 2, 8, 8))).shape
        (1, 2, 4, 4)
    """

    pool = staticmethod(functional.avg_pool2d)


@final
class AvgPool3d(AbstractAvgPool):
    """Takes the mean of volumes under each place of a window.

    `functional.avg_pool3d` as a layer. Arguments as in `AbstractAvgPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AvgPool3d(2)(ts.ones((1, 2, 8, 8, 8))).shape
        (1, 2, 4, 4, 4)
    """

    pool = staticmethod(functional.avg_pool3d)


@final
class AdaptiveAvgPool1d(AbstractAdaptivePool):
    """Takes the mean of signals in a number of bins.

    `functional.adaptive_avg_pool1d` as a layer. Arguments as in `AbstractAdaptivePool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveAvgPool1d(3)(ts.ones((1, 2, 8))).shape
        (1, 2, 3)
    """

    pool = staticmethod(functional.adaptive_avg_pool1d)


@final
class AdaptiveAvgPool2d(AbstractAdaptivePool):
    """Takes the mean of images in a number of bins.

    `functional.adaptive_avg_pool2d` as a layer. Arguments as in `AbstractAdaptivePool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveAvgPool2d(3)(ts.ones((1, 2, 8, 8))).shape
        (1, 2, 3, 3)
    """

    pool = staticmethod(functional.adaptive_avg_pool2d)


@final
class AdaptiveAvgPool3d(AbstractAdaptivePool):
    """Takes the mean of volumes in a number of bins.

    `functional.adaptive_avg_pool3d` as a layer. Arguments as in `AbstractAdaptivePool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveAvgPool3d(3)(ts.ones((1, 2, 8, 8, 8))).shape
        (1, 2, 3, 3, 3)
    """

    pool = staticmethod(functional.adaptive_avg_pool3d)


@final
class AdaptiveMaxPool1d(AbstractAdaptiveMaxPool):
    """Keeps the largest element of signals in a number of bins.

    `functional.adaptive_max_pool1d` as a layer. Arguments as in `AbstractAdaptiveMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveMaxPool1d(3)(ts.ones((1, 2, 8))).shape
        (1, 2, 3)
    """

    pool = staticmethod(functional.adaptive_max_pool1d)


@final
class AdaptiveMaxPool2d(AbstractAdaptiveMaxPool):
    """Keeps the largest element of images in a number of bins.

    `functional.adaptive_max_pool2d` as a layer. Arguments as in `AbstractAdaptiveMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveMaxPool2d(3)(ts.ones((1, 2, 8, 8))).shape
        (1, 2, 3, 3)
    """

    pool = staticmethod(functional.adaptive_max_pool2d)


@final
class AdaptiveMaxPool3d(AbstractAdaptiveMaxPool):
    """Keeps the largest element of volumes in a number of bins.

    `functional.adaptive_max_pool3d` as a layer. Arguments as in `AbstractAdaptiveMaxPool`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.AdaptiveMaxPool3d(3)(ts.ones((1, 2, 8, 8, 8))).shape
        (1, 2, 3, 3, 3)
    """

    pool = staticmethod(functional.adaptive_max_pool3d)
