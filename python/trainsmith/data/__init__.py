"""Data on its way to a model: batches, orders, splits and folds. Tables from files are in `trainsmith.data.tabular`."""

from trainsmith.data._batches import Batches, batches
from trainsmith.data._buckets import BucketBatches, bucket_by_length
from trainsmith.data._folds import Splitter, window_purge
from trainsmith.data._group_k_fold import GroupKFold
from trainsmith.data._k_fold import KFold, StratifiedKFold
from trainsmith.data._permutation import Permutation
from trainsmith.data._split import Split, Strategy, split_rows
from trainsmith.data._time_splits import PurgedKFold, TimeSeriesSplit, WalkForward
from trainsmith.data._weighted_order import WeightedOrder
from trainsmith.data._weights import class_weights

__all__ = [
    "Batches",
    "BucketBatches",
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
    "WeightedOrder",
    "batches",
    "bucket_by_length",
    "class_weights",
    "split_rows",
    "window_purge",
]
