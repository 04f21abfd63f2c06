"""The command line of trainsmith."""

from trainsmith.cli._main import main

__all__ = ["main"]
