"""The command line: one sub-command per job, one-line errors, exit codes 0, 2 and 130."""

import argparse
import os
import sys
from collections.abc import Sequence

import trainsmith as ts
from trainsmith.cli._cv import add_cv
from trainsmith.cli._doctor import add_doctor
from trainsmith.cli._init import add_init
from trainsmith.cli._plugins import add_devices, add_plugins
from trainsmith.cli._predict import add_predict
from trainsmith.cli._resume import add_resume
from trainsmith.cli._train import add_train
from trainsmith.cli._tune import add_tune
from trainsmith.cli._validate import add_validate
from trainsmith.errors import InternalError, TrainsmithError

_USER_ERROR = 2
_INTERRUPTED = 130

_COMMANDS = (
    ("train", "train a model as a configuration file says", add_train),
    ("resume", "go on with a run that was interrupted or killed", add_resume),
    ("validate", "measure a trained model on a table with its target", add_validate),
    ("predict", "predict with a trained model", add_predict),
    ("cv", "cross-validate what a configuration file says", add_cv),
    ("init", "print a configuration for a table", add_init),
    ("plugins", "list workflows, providers and cross-validators by name", add_plugins),
    ("devices", "list the devices of this machine", add_devices),
    ("doctor", "say which GPUs can be used, test them, and say what to do where none can", add_doctor),
    ("tune", "measure which kernels a GPU runs fastest, for later runs", add_tune),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: the words after `trainsmith`; those of the process by default.

    Returns:
        The exit code: 0; 2 after an error of the user, told in one line on standard error; 130 after Ctrl-C.

    Example:
        >>> main(["predict", "no-such-folder", "data.csv"])
        2
    """
    parser = _parser()
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else _USER_ERROR
    try:
        return parsed.run(parsed)
    except InternalError:
        raise
    except TrainsmithError as error:
        print(f"error: {error}", file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trainsmith", description="Train neural networks on tables.")
    parser.add_argument("--version", action="version", version=f"trainsmith {ts.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary, add in _COMMANDS:
        add(commands.add_parser(name, help=summary, description=f"{summary.capitalize()}."))
    return parser
