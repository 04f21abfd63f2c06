"""Layers that put a border around the last axes."""

from collections.abc import Sequence
from typing import ClassVar, final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional
from trainsmith.nn._module import Module
from trainsmith.nn.functional._pad import Mode

Sizes = int | Sequence[int]


class AbstractPad(Module):
    """What padding layers share.

    Args:
        padding: one size for all sides, or sizes before and after each axis, the last axis first; negative ones cut off
            where the border is constant.

    Raises:
        ArgumentError: another number of sizes.
    """

    axes: ClassVar[int]
    mode: ClassVar[Mode]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        sides = 2 * type(self).axes
        self.padding = (padding,) * sides if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != sides:
            rule = f"padding: one size, or {sides} of them"
            raise problem(ArgumentError, type(self).__name__, rule, repr(padding))

    def border(self, input: Tensor) -> Tensor:
        """Puts the border around a tensor of the right number of axes."""
        return functional.pad(input, self.padding, mode=type(self).mode)

    def forward(self, input: Tensor) -> Tensor:
        """Maps shape (n, channels, ...), or the same without n, to one with longer last axes."""
        axes = type(self).axes
        if input.ndim not in (axes + 1, axes + 2):
            rule = f"an input with {axes + 1} or {axes + 2} axes"
            raise problem(ShapeError, type(self).__name__, rule, str(input.shape))
        return self.border(input)

    def extra_repr(self) -> str:
        """Names the sizes."""
        return str(self.padding)


class AbstractConstantPad(AbstractPad):
    """What layers share whose border holds one number.

    Args:
        padding: one size for all sides, or sizes before and after each axis, the last axis first; negative ones cut.
        value: what the border holds.
    """

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def border(self, input: Tensor) -> Tensor:
        """Puts the border around a tensor of the right number of axes."""
        return functional.pad(input, self.padding, value=self.value)

    def extra_repr(self) -> str:
        """Names sizes and value."""
        return f"padding={self.padding}, value={self.value}"


@final
class ConstantPad1d(AbstractConstantPad):
    """Puts a border of one number around signals. Arguments as in `AbstractConstantPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ConstantPad1d(1, 9.0)(ts.asarray([[1.0, 2.0, 3.0]])).tolist()
        [[9.0, 1.0, 2.0, 3.0, 9.0]]
    """

    axes = 1
    mode = "constant"


@final
class ConstantPad2d(AbstractConstantPad):
    """Puts a border of one number around images. Arguments as in `AbstractConstantPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ConstantPad2d((1, 0, 0, 1), 9.0)(ts.asarray([[[1.0, 2.0]]])).tolist()
        [[[9.0, 1.0, 2.0], [9.0, 9.0, 9.0]]]
    """

    axes = 2
    mode = "constant"


@final
class ConstantPad3d(AbstractConstantPad):
    """Puts a border of one number around volumes. Arguments as in `AbstractConstantPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ConstantPad3d(1, 9.0)(ts.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "constant"


@final
class ZeroPad1d(AbstractPad):
    """Puts a border of zeros around signals. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ZeroPad1d((2, 0))(ts.asarray([[1.0, 2.0, 3.0]])).tolist()
        [[0.0, 0.0, 1.0, 2.0, 3.0]]
    """

    axes = 1
    mode = "constant"


@final
class ZeroPad2d(AbstractPad):
    """Puts a border of zeros around images. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ZeroPad2d((1, 0, 0, 1))(ts.asarray([[[1.0, 2.0]]])).tolist()
        [[[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]]
    """

    axes = 2
    mode = "constant"


@final
class ZeroPad3d(AbstractPad):
    """Puts a border of zeros around volumes. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ZeroPad3d(1)(ts.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "constant"


@final
class ReflectionPad1d(AbstractPad):
    """Puts a mirror image without the edge around signals. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReflectionPad1d((2, 1))(ts.asarray([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]
    """

    axes = 1
    mode = "reflect"


@final
class ReflectionPad2d(AbstractPad):
    """Puts a mirror image without the edge around images. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReflectionPad2d((1, 1, 0, 0))(ts.asarray([[[1.0, 2.0]]])).tolist()
        [[[2.0, 1.0, 2.0, 1.0]]]
    """

    axes = 2
    mode = "reflect"


@final
class ReflectionPad3d(AbstractPad):
    """Puts a mirror image without the edge around volumes. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReflectionPad3d(1)(ts.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "reflect"


@final
class ReplicationPad1d(AbstractPad):
    """Puts the edge, repeated around signals. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReplicationPad1d((2, 1))(ts.asarray([[1.0, 2.0, 3.0]])).tolist()
        [[1.0, 1.0, 1.0, 2.0, 3.0, 3.0]]
    """

    axes = 1
    mode = "replicate"


@final
class ReplicationPad2d(AbstractPad):
    """Puts the edge, repeated around images. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReplicationPad2d((1, 0, 0, 1))(ts.asarray([[[1.0, 2.0]]])).tolist()
        [[[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]]
    """

    axes = 2
    mode = "replicate"


@final
class ReplicationPad3d(AbstractPad):
    """Puts the edge, repeated around volumes. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.ReplicationPad3d(1)(ts.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "replicate"


@final
class CircularPad1d(AbstractPad):
    """Puts the other end, as on a ring around signals. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.CircularPad1d((2, 1))(ts.asarray([[1.0, 2.0, 3.0]])).tolist()
        [[2.0, 3.0, 1.0, 2.0, 3.0, 1.0]]
    """

    axes = 1
    mode = "circular"


@final
class CircularPad2d(AbstractPad):
    """Puts the other end, as on a ring around images. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.CircularPad2d((1, 0, 0, 1))(ts.asarray([[[1.0, 2.0]]])).tolist()
        [[[2.0, 1.0, 2.0], [2.0, 1.0, 2.0]]]
    """

    axes = 2
    mode = "circular"


@final
class CircularPad3d(AbstractPad):
    """Puts the other end, as on a ring around volumes. Arguments as in `AbstractPad`.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.CircularPad3d(1)(ts.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "circular"
