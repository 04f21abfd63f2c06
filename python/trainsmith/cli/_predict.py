"""`trainsmith predict`: from an artefact and a table to predictions."""

import csv
import io
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from trainsmith.data._wording import counted, shown, worded
from trainsmith.data.tabular import read_table
from trainsmith.errors import IoError
from trainsmith.training import Artefact, Predictions, load_artefact


def add_predict(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith predict`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("artefact", help="folder that `trainsmith train` wrote")
    parser.add_argument("data", help="CSV, Parquet or Arrow file with the columns that the model was trained on")
    parser.add_argument("-o", "--output", help="CSV file to write; standard output by default")
    parser.add_argument("--device", default="cpu", help="cpu, gpu, or reference (slow, for checking)")
    parser.set_defaults(run=predict)


def predict(arguments: Namespace) -> int:
    """Runs `trainsmith predict`.

    Args:
        arguments: what `add_predict` declared.

    Returns:
        The exit code, 0.

    Raises:
        TrainsmithError: the artefact, the data or the output breaks a rule.
    """
    artefact = load_artefact(arguments.artefact, device=arguments.device)
    table = read_table(arguments.data)
    predictions = artefact.predict(table)
    for name, count in artefact.preprocessor.unseen(table).items():
        print(f"note: column {shown(name)}: {counted(count, 'cell')} of a category unseen in training", file=sys.stderr)
    left_out = table.rows - predictions.rows.size
    if left_out:
        print(f"note: {counted(left_out, 'row')} with missing cells: prediction left empty", file=sys.stderr)
    text = predictions_text(artefact, predictions, table.rows)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        _write(Path(arguments.output), Path(arguments.data), text)
        print(f"saved  {arguments.output}: {counted(table.rows, 'row')}")
    return 0


def predictions_text(artefact: Artefact, predictions: Predictions, rows: int) -> str:
    """Writes predictions as CSV: `prediction`, and for classes `probability_<class>`.

    Args:
        artefact: what predicted.
        predictions: the predictions.
        rows: the rows of the table; those without a prediction become empty cells.

    Returns:
        A header line and one line per row.
    """
    classes = artefact.target.classes
    lines: list[list[str]] = [[""] * (1 + len(classes)) for _ in range(rows)]
    for place, row in enumerate(predictions.rows.tolist()):
        value = predictions.values[place]
        lines[row] = [str(value) if classes else repr(float(value))]
        if predictions.probabilities is not None:
            lines[row] += [f"{share:.9g}" for share in predictions.probabilities[place].tolist()]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability_{name}" for name in classes)])
    writer.writerows(lines)
    return stream.getvalue()


def _write(path: Path, data: Path, text: str) -> None:
    """Writes a file whole or not at all; never over the input."""
    if path.exists() and data.exists() and path.samefile(data):
        raise worded(
            IoError,
            "predict",
            "the predictions must not replace their data",
            expected="another path",
            got=shown(str(path)),
            step="pass another -o",
        )
    temporary = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise worded(
            IoError,
            "predict",
            f"{shown(str(path))} must be writable",
            expected="a file in an existing folder",
            got=error.strerror or type(error).__name__,
            step="pass another -o",
        ) from None
