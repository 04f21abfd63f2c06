"""Positions in sequences, as layers."""

from typing import final

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError, ShapeError
from trainsmith.nn import functional
from trainsmith.nn._module import Module


@final
class RotaryEmbedding(Module):
    """Turns each pair of features of queries or keys by an angle that grows with the position.

    Args:
        width: E, number of features, even; torch has no such layer.
        base: of the frequencies.
        interleaved: whether pairs are neighbours; else features i and i + E/2.

    Raises:
        ArgumentError: an odd width.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.RotaryEmbedding(4)(ts.ones((2, 5, 4))).shape
        (2, 5, 4)

    Source: Su et al. 2021, equation 34.
    """

    def __init__(self, width: int, base: float = 10000.0, interleaved: bool = False) -> None:
        super().__init__()
        if width < 2 or width % 2:
            raise problem(ArgumentError, "RotaryEmbedding", "an even width of at least 2", str(width))
        self.width = width
        self.base = base
        self.interleaved = interleaved

    def forward(self, input: Tensor, positions: Tensor | None = None) -> Tensor:
        """Gives shape and dtype of the input, (..., length, width); positions broadcast to (..., length)."""
        if input.shape[-1] != self.width:
            raise problem(ShapeError, "RotaryEmbedding", f"an input (..., length, {self.width})", str(input.shape))
        return functional.rotary(input, positions, self.base, self.interleaved)

    def extra_repr(self) -> str:
        """Names width and base."""
        return f"{self.width}, base={self.base}, interleaved={self.interleaved}"


@final
class SinusoidalPositions(Module):
    """Adds waves to a sequence, from which positions can be told.

    y[..., p, :] = x[..., p, :] + P[p], P as in `functional.sinusoidal_positions`.

    Args:
        base: of the frequencies.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.SinusoidalPositions()(ts.zeros((1, 2, 2)))[0, 0].tolist()
        [0.0, 1.0]

    Source: Vaswani et al. 2017, section 3.5.
    """

    def __init__(self, base: float = 10000.0) -> None:
        super().__init__()
        self.base = base

    def forward(self, input: Tensor) -> Tensor:
        """Gives shape and dtype of the input, (..., length, width)."""
        if input.ndim < 2:
            raise problem(ShapeError, "SinusoidalPositions", "an input (..., length, width)", str(input.shape))
        length, width = input.shape[-2:]
        return input + functional.sinusoidal_positions(length, width, self.base, input.dtype, input.device)

    def extra_repr(self) -> str:
        """Names the base."""
        return f"base={self.base}"
