"""Constants of the array API standard."""

from math import e, inf, nan, pi

__all__ = ["e", "inf", "nan", "newaxis", "pi"]

newaxis = None
"""An axis of size 1 in `x[...]`."""
