"""Data on its way to a model: batches, orders and splits. Tables from files are in `trainsmith.data.tabular`."""

from trainsmith.data._batches import batches
from trainsmith.data._permutation import Permutation
from trainsmith.data._split import Split, Strategy, split_rows

__all__ = ["Permutation", "Split", "Strategy", "batches", "split_rows"]
