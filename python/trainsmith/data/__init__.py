"""Data on its way to a model: batches, orders, splits and folds. Tables from files are in `trainsmith.data.tabular`."""

from trainsmith.data._batches import batches
from trainsmith.data._folds import Splitter, window_purge
from trainsmith.data._group_k_fold import GroupKFold
from trainsmith.data._k_fold import KFold, StratifiedKFold
from trainsmith.data._permutation import Permutation
from trainsmith.data._split import Split, Strategy, split_rows
from trainsmith.data._time_splits import PurgedKFold, TimeSeriesSplit, WalkForward

__all__ = [
    "GroupKFold",
    "KFold",
    "Permutation",
    "PurgedKFold",
    "Split",
    "Splitter",
    "Strategy",
    "StratifiedKFold",
    "TimeSeriesSplit",
    "WalkForward",
    "batches",
    "split_rows",
    "window_purge",
]
