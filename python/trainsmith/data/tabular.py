"""Tables from files: reading, features and targets. Not loaded by `import trainsmith`."""

from trainsmith.data._arrow import read_arrow, read_parquet
from trainsmith.data._cells import required_numbers
from trainsmith.data._csv import read_csv
from trainsmith.data._feature_columns import CategoricalColumn, NumericColumn
from trainsmith.data._kind import column_kind, looks_like_identifier
from trainsmith.data._preprocess import Preprocessor, complete_rows
from trainsmith.data._read import read_table
from trainsmith.data._table import Table
from trainsmith.data._target import Target, detect_task
from trainsmith.data._times import times_of

__all__ = [
    "CategoricalColumn",
    "NumericColumn",
    "Preprocessor",
    "Table",
    "Target",
    "column_kind",
    "complete_rows",
    "detect_task",
    "looks_like_identifier",
    "read_arrow",
    "read_csv",
    "read_parquet",
    "read_table",
    "required_numbers",
    "times_of",
]
