"""The two kinds of cells that modules hold."""

from trainsmith._core import Buffer, Parameter

__all__ = ["Buffer", "Parameter"]
