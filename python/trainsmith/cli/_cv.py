"""`trainsmith cv`: cross-validates what a configuration file says."""

import csv
import io
import json
from argparse import ArgumentParser, Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from trainsmith.callbacks._table import table_lines
from trainsmith.cli._config_file import read_config
from trainsmith.data._wording import counted, worded
from trainsmith.errors import ConfigError, DataError
from trainsmith.training import JobFolds, SerialExecutor, SpawnExecutor, cross_validate_job
from trainsmith.training._folder import check_new, new_folder

_RESULT = "cv.json"


def add_cv(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith cv`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("config", help="configuration file (TOML); split.strategy decides how folds are made")
    parser.add_argument("--folds", type=int, default=5, help="number of folds, 5 by default; walk_forward ignores it")
    parser.add_argument("--workers", type=int, default=1, help="processes that run folds at the same time")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="replace one entry of the configuration"
    )
    parser.add_argument("--device", help="replace run.device")
    parser.add_argument("-o", "--output", help="folder for cv.json and out_of_fold.csv; nothing is written by default")
    parser.add_argument("--overwrite", action="store_true", help="replace an older result in that folder")
    parser.set_defaults(run=cross_validation)


def cross_validation(arguments: Namespace) -> int:
    """Runs `trainsmith cv`.

    Args:
        arguments: what `add_cv` declared.

    Returns:
        The exit code, 0.

    Raises:
        TrainsmithError: the configuration or the data break a rule, or every fold failed.
    """
    if arguments.folds < 2 or arguments.workers < 1:
        raise worded(
            ConfigError,
            "cv",
            "--folds and --workers must be counts",
            expected="at least 2 folds and 1 worker",
            got=f"{arguments.folds} and {arguments.workers}",
            step="change them",
        )
    config = read_config(arguments.config, arguments.set, arguments.device)
    output = None if arguments.output is None else Path(arguments.output)
    if output is not None:
        check_new(output, overwrite=arguments.overwrite, marker=_RESULT)
    pool = nullcontext(SerialExecutor()) if arguments.workers == 1 else SpawnExecutor(arguments.workers)
    with pool as executor:
        found = cross_validate_job(config, folds=arguments.folds, executor=executor)
    if found.result.mean_loss is None:
        raise worded(
            DataError,
            "cv",
            "a fold must succeed",
            expected="a loss",
            got=str(found.result.fold_results[0].extensions["error"]),
            step="correct that",
        )
    print("\n".join(_report(found)))
    if output is not None:
        with new_folder(output, overwrite=arguments.overwrite, marker=_RESULT) as folder:
            (folder / _RESULT).write_text(json.dumps(found.result.to_dict(), indent=2) + "\n", encoding="utf-8")
            (folder / "out_of_fold.csv").write_text(_predictions(found), encoding="utf-8")
        print(f"saved  {output}")
    return 0


def _report(found: JobFolds) -> list[str]:
    result = found.result
    names = list(result.mean_metrics)
    rows: list[list[Any]] = []
    for number, fold in enumerate(result.fold_results):
        error = fold.extensions.get("error")
        cells = [fold.metrics.get(name) for name in names]
        rows.append([str(number), fold.sample_count, fold.loss, *cells] + ([f"failed: {error}"] if error else []))
    rows.append(["mean", "", result.mean_loss, *(result.mean_metrics[name] for name in names)])
    rows.append(["std", "", result.std_loss, *(result.std_metrics[name] for name in names)])
    pooled = result.extensions.get("pooled_metrics", {})
    rows.append(["pooled", found.rows.size, "", *(pooled.get(name) for name in names)])
    width = max(map(len, rows))
    table = table_lines(
        ["fold", "rows", "loss", *names, *[""] * (width - 3 - len(names))],
        [[*row, *[""] * (width - len(row))] for row in rows],
    )
    return [*table, f"{counted(len(result.fold_results), 'fold')} in {result.total_time_seconds:.1f} s"]


def _predictions(found: JobFolds) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    header = [f"probability_{name}" for name in found.classes] or ["prediction"]
    writer.writerow(["row", *header])
    values = found.predictions.reshape(found.rows.size, -1).tolist()
    for row, cells in zip(found.rows.tolist(), values, strict=True):
        writer.writerow([row, *map(repr, cells)])
    return stream.getvalue()
