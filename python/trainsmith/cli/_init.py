"""`trainsmith init`: prints a configuration for a table."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from trainsmith.data._cells import MISSING
from trainsmith.data._toml import toml_value
from trainsmith.data._wording import counted
from trainsmith.data.tabular import Table, column_kind, detect_task, looks_like_identifier, read_table


def add_init(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith init`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("data", help="CSV file with a header line, or a Parquet or Arrow file")
    parser.add_argument("--target", required=True, help="column to predict")
    parser.set_defaults(run=init)


def init(arguments: Namespace) -> int:
    """Runs `trainsmith init`.

    Args:
        arguments: what `add_init` declared.

    Returns:
        The exit code, 0.

    Raises:
        TrainsmithError: the table cannot be read, or has no such column.
    """
    print(config_for(read_table(arguments.data), arguments.data, arguments.target), end="")
    return 0


def config_for(table: Table, path: str, target: str) -> str:
    """Writes a commented configuration for a table.

    Args:
        table: the table.
        path: its path, as it shall stand in the configuration.
        target: the column to predict.

    Returns:
        TOML text that `trainsmith train` accepts.

    Raises:
        DataError: the table has no such column, or a column of numbers holds a stray text.

    Example:
        >>> table = Table(source="t.csv", columns={"a": ["1", "2"], "y": ["no", "yes"]}, lines=[2, 3])
        >>> print(config_for(table, "t.csv", "y").splitlines()[0])
        # t.csv: 2 rows, 2 columns; target y: classification
    """
    task = detect_task(table, target)
    features = [name for name in table.columns if name != target]
    drop = [name for name in features if looks_like_identifier(table, name)]
    kept = [name for name in features if name not in drop]
    text = [name for name in kept if column_kind(table, name) == "categorical"]
    gaps = sum(cell in MISSING for name in kept for cell in table.columns[name])
    untargeted = any(cell in MISSING for cell in table.columns[target])
    missing = "drop" if untargeted else "mean" if gaps else "error"
    classes = task == "classification"
    stem = Path(path).stem or "model"
    comment = f"{counted(gaps, 'missing cell')} in the inputs" + (", and some in the target" if untargeted else "")
    return _TEMPLATE.format(
        source=_one_line(table.source),
        rows=counted(table.rows, "row"),
        columns=counted(len(table.columns), "column"),
        target_name=_one_line(target),
        task=task,
        path=toml_value(Path(os.path.normpath(path)).as_posix()),
        target=toml_value(target),
        drop=toml_value(drop),
        drop_comment="these differ in every row, like identifiers" if drop else "columns to leave out",
        found=_one_line(", ".join(text[:8]) + (", ..." if len(text) > 8 else "")) or "none",
        missing=toml_value(missing),
        missing_comment=comment,
        strategy=toml_value("stratified" if classes else "random"),
        output=toml_value(f"runs/{stem}"),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


_TEMPLATE = """\
# {source}: {rows}, {columns}; target {target_name}: {task}
# Train with: trainsmith train THIS_FILE
[data]
path = {path}  # relative to this file
target = {target}
drop = {drop}  # {drop_comment}
categorical = []  # columns of categories coded as numbers; found by their texts: {found}
missing = {missing}  # error | mean | drop; {missing_comment}
task = "auto"  # auto | classification | regression
# time = "date"  # sort by this column; for strategy = "chronological"
# group = "patient"  # rows with equal cells here stay together; for strategy = "group"
# weight = "w"  # weight of each row in the loss

# [windows]  # for a time series: predict from the last rows of each group; then strategy = "chronological"
# size = 24  # rows per window
# horizon = 1  # rows from the last of a window to the one whose target it predicts

[split]
strategy = {strategy}  # random | stratified | group | chronological; walk_forward for cv
validation = 0.15  # share of the rows that decides when to stop
test = 0.15  # share of the rows that judges the result

[model]
type = "mlp"
architecture = {{ hidden = [64, 64], dropout = 0.1 }}  # activation = "relu" | "gelu" | "tanh"

[training]
num_epochs = 200
learning_rate = 1e-3
max_no_improve = 20  # stop after this many epochs without an improvement of the validation loss; 0: never
early_stop_tolerance = 1e-4  # smallest fall of the loss that counts
random_seed = 7  # the same seed gives the same run
batch_config = {{ batch_size = 64, shuffle = true }}

[optimizer]
name = "adamw"  # adamw | sgd
weight_decay = 1e-2

[schedule]
name = "cosine"  # constant | cosine | linear | step
warmup_epochs = 5

[run]
device = "cpu"  # cpu | gpu | reference (slow, for checking)
dtype = "float32"  # float32 | float64
output = {output}  # the folder to write, relative to the working directory
"""
