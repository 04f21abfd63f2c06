"""`trainsmith train`: from a configuration file to a folder with a trained model."""

import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from trainsmith.callbacks._display import Display, make_display
from trainsmith.callbacks._table import EpochTable, table_lines
from trainsmith.cli._config_file import read_config, write_config
from trainsmith.cli._unfinished import Unfinished
from trainsmith.data._wording import counted, shown
from trainsmith.training import (
    EpochRecord,
    JobConfig,
    JobOutcome,
    Prepared,
    prepare,
    run_job,
    save_artefact,
    stop_on_interrupt,
)
from trainsmith.training._artefact import MANIFEST, model_of
from trainsmith.training._folder import check_new

_INTERRUPTED = 130


def add_train(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith train`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("config", help="configuration file (TOML); `trainsmith init` prints one")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="replace one entry of the configuration; may be given several times",
    )
    parser.add_argument("--device", help="replace run.device: cpu, gpu, or reference (slow, for checking)")
    parser.add_argument("--overwrite", action="store_true", help="replace an older result in run.output")
    parser.add_argument("--resume", action="store_true", help="go on where an unfinished run of run.output stopped")
    parser.add_argument("--dry-run", action="store_true", help="check configuration and data, write nothing")
    parser.set_defaults(run=train)


def train(arguments: Namespace) -> int:
    """Runs `trainsmith train`.

    Args:
        arguments: what `add_train` declared.

    Returns:
        The exit code: 0, or 130 after Ctrl-C, with the result saved.

    Raises:
        TrainsmithError: the configuration, the data or the output folder breaks a rule.
    """
    config = read_config(arguments.config, arguments.set, arguments.device)
    return run_training(config, resume=arguments.resume, overwrite=arguments.overwrite, dry_run=arguments.dry_run)


def run_training(config: JobConfig, *, resume: bool, overwrite: bool, dry_run: bool = False) -> int:
    """Trains, with checkpoints beside the output folder until the run is finished.

    Args:
        config: the job.
        resume: whether to go on where an unfinished run stopped; without one a new run starts.
        overwrite: whether to replace an older result, and to forget an unfinished run.
        dry_run: whether to check configuration and data alone.

    Returns:
        The exit code: 0, or 130 after Ctrl-C, with the result and the state of the run saved.

    Raises:
        TrainsmithError: the configuration, the data or the output folder breaks a rule.
    """
    output = Path(config.run.output).expanduser()
    unfinished = Unfinished(output)
    overwrite = overwrite or (resume and unfinished.left_result())
    check_new(output, overwrite=overwrite, marker=MANIFEST)
    if not resume and not dry_run:
        unfinished.begin_anew(overwrite=overwrite)
    prepared = prepare(config)
    print("\n".join(_summary(config, prepared)))
    for note in prepared.notes:
        print(f"note: {note}", file=sys.stderr)
    if dry_run:
        print(f"dry run: nothing is written; a run would write {output}")
        return 0
    unfinished.keep_config(_config_text(config, unfinished.folder))
    with stop_on_interrupt() as stop:
        with make_display() as display:
            watch = _Watch(display, config.workflow.num_epochs)
            outcome = run_job(
                config,
                prepared,
                on_step=watch.step,
                on_epoch=watch.epoch,
                stop=stop,
                checkpoints=unfinished.checkpoints(config.workflow.num_epochs),
                resume=resume,
            )
        save_artefact(
            output,
            model=outcome.model,
            config=config,
            config_text=_config_text(config, output),
            prepared=prepared,
            result=outcome.result,
            metrics=outcome.metrics,
            overwrite=overwrite,
        )
    print("\n".join(_report(outcome, output)))
    if outcome.result.status == "interrupted":
        print(f"go on with: trainsmith resume {output}")
        return _INTERRUPTED
    unfinished.forget()
    return 0


class _Watch:
    """Shows steps and epochs."""

    def __init__(self, display: Display, epochs: int) -> None:
        self._display = display
        self._epochs = epochs
        self._done = 0
        self._table: EpochTable | None = None

    def step(self, done: int, steps: int) -> None:
        share = (self._done + done / steps) / self._epochs
        self._display.progress(f"epoch {self._done + 1}/{self._epochs}", share)

    def epoch(self, record: EpochRecord) -> None:
        self._done = record.epoch
        score = "accuracy" if "accuracy" in record.validation_metrics else "r2"
        cells = [record.epoch, record.learning_rate, record.training_loss]
        header = ["epoch", "rate", "train loss"]
        if record.validation_loss is not None:
            cells += [record.validation_loss, record.validation_metrics.get(score), "best" if record.improved else ""]
            header += ["val loss", f"val {score}", ""]
        self._table = self._table or EpochTable(header)
        for line in self._table.lines(cells):
            self._display.line(line.rstrip())


def _summary(config: JobConfig, prepared: Prepared) -> list[str]:
    target, split = prepared.target, prepared.split
    classes = ", ".join(map(shown, target.classes[:5])) + (", ..." if len(target.classes) > 5 else "")
    task = f"{counted(len(target.classes), 'class', 'classes')}: {classes}" if target.classes else "regression"
    model = model_of(config, prepared)
    parameters = sum(int(np.prod(parameter.shape)) for parameter in model.parameters())
    inputs = len(prepared.preprocessor.feature_names)
    return [
        f"data   {prepared.table.source}: {counted(prepared.table.rows, 'row')}, {counted(inputs, 'input')} from "
        f"{counted(len(prepared.preprocessor.columns), 'column')}, target {shown(target.name)} ({task})",
        f"split  {split.train.size:,} training, {split.validation.size:,} validation, {split.test.size:,} test rows "
        f"({prepared.strategy}, seed {config.workflow.random_seed})",
        f"model  {config.workflow.model_config.type}, {counted(parameters, 'parameter')}, "
        f"{config.run.dtype} on {config.run.device}",
    ]


def _config_text(config: JobConfig, output: Path) -> str:
    """Writes the configuration as it was used, with the data's path relative to the artefact where it can be."""
    path = Path(config.data.path).absolute()
    with suppress(ValueError):  # another drive
        path = Path(os.path.relpath(path, output.absolute()))
    return write_config(replace(config, data=replace(config.data, path=path.as_posix())).to_sections())


def _report(outcome: JobOutcome, output: Path) -> list[str]:
    result = outcome.result
    names = list(dict.fromkeys(name for scores in outcome.metrics.values() for name in scores))
    rows = [[part, *(scores.get(name) for name in names)] for part, scores in outcome.metrics.items()]
    ended = result.status.replace("_", " ")
    kept = f", weights of epoch {result.best_epoch}" if result.best_epoch else ""
    return [
        f"{ended} after {counted(result.total_epochs, 'epoch')} in {result.training_time_seconds:.1f} s{kept}",
        *table_lines(["part", *names], rows),
        f"saved  {output}",
    ]
