"""`trainsmith validate`: measures a trained model on a table."""

from argparse import ArgumentParser, Namespace

from trainsmith.callbacks._table import table_lines
from trainsmith.data.tabular import read_table
from trainsmith.training import load_artefact


def add_validate(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith validate`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("artefact", help="folder that `trainsmith train` wrote")
    parser.add_argument("data", help="CSV, Parquet or Arrow file with the model's columns and its target")
    parser.add_argument("--device", default="cpu", help="cpu, gpu, or reference (slow, for checking)")
    parser.set_defaults(run=validate)


def validate(arguments: Namespace) -> int:
    """Runs `trainsmith validate`.

    Args:
        arguments: what `add_validate` declared.

    Returns:
        The exit code, 0.

    Raises:
        TrainsmithError: the artefact or the data break a rule.
    """
    artefact = load_artefact(arguments.artefact, device=arguments.device)
    scores = artefact.score(read_table(arguments.data))
    rows = int(scores.pop("rows") or 0)
    print("\n".join(table_lines(["rows", *scores], [[rows, *scores.values()]])))
    return 0
