"""`trainsmith resume`: goes on with a run that was interrupted or killed."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from trainsmith.cli._config_file import read_config
from trainsmith.cli._train import run_training
from trainsmith.cli._unfinished import CONFIG, Unfinished
from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError


def add_resume(parser: ArgumentParser) -> None:
    """Declares the arguments of `trainsmith resume`.

    Args:
        parser: the sub-command's parser.
    """
    parser.add_argument("output", help="run.output of the unfinished run")
    parser.set_defaults(run=resume)


def resume(arguments: Namespace) -> int:
    """Runs `trainsmith resume`.

    Args:
        arguments: what `add_resume` declared.

    Returns:
        The exit code: 0, or 130 after Ctrl-C.

    Raises:
        TrainsmithError: there is no unfinished run, or its data have changed.
    """
    output = Path(arguments.output)
    found = Unfinished(output).folder / CONFIG
    if not found.is_file():
        raise worded(
            IoError,
            "resume",
            "there must be an unfinished run",
            expected=f"the file {shown(str(found))}",
            got="none",
            step="pass run.output of a run that was interrupted, or train anew",
        )
    config = read_config(str(found))
    config = replace(config, run=replace(config.run, output=str(output)))
    return run_training(config, resume=True, overwrite=False)
