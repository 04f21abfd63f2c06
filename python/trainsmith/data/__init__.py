"""Data on its way to a model: batches and splits. Tables from files are in `trainsmith.data.tabular`."""

from trainsmith.data._batches import batches
from trainsmith.data._split import Split, Strategy, split_rows

__all__ = ["Split", "Strategy", "batches", "split_rows"]
