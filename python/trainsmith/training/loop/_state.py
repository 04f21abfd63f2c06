"""The whole state of a run: what a checkpoint holds, and how a run goes on from it bit for bit."""

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import trainsmith as ts
from trainsmith.data._wording import shown, worded
from trainsmith.errors import IoError
from trainsmith.training._result import EpochRecord
from trainsmith.training.checkpoints import Checkpoint
from trainsmith.training.loop._position import go_to, position_of
from trainsmith.training.loop._tuning import compare_tables, tables_of

if TYPE_CHECKING:
    from trainsmith.training.loop._loop import TrainingLoop


def gather(loop: "TrainingLoop") -> dict[str, Any]:
    """Takes the state of a run between two steps; tensors in it are snapshots.

    Args:
        loop: the run.

    Returns:
        Progress, mean loss so far, weights, optimizer, trainer, schedule, average, early stopping, best weights, place
        in the data, random numbers, history, callbacks, and the tables that choose kernels on GPUs.
    """
    loop.progress.seconds, loop.progress.epoch_seconds = loop.seconds(), loop.epoch_seconds()
    progress, weights = loop.progress, loop.learner.weights()
    return {
        "fingerprint": loop.fingerprint,
        "progress": progress.state_dict(),
        "meter": loop.meter.state_dict(),
        "weights": weights,
        "tables": tables_of(weights.values()),
        "learner": loop.learner.state_dict(),
        "schedule": None if loop.schedule is None else loop.schedule.scheduler.state_dict(),
        "average": None if loop.averaging is None else loop.averaging.average.state_dict(),
        "early_stopping": None if loop.early_stopping is None else loop.early_stopping.state_dict(),
        "best": loop.best.state_dict(),
        "data": position_of(loop.data, progress.epoch, progress.batch),
        "generator": ts.default_generator().get_state(),
        "history": [{one.name: getattr(record, one.name) for one in fields(record)} for record in loop.history],
        "callbacks": [
            {"name": type(one).__name__, "state": kept} for one in loop.callbacks if (kept := one.state_dict())
        ],
    }


def restore(loop: "TrainingLoop", checkpoint: Checkpoint) -> None:
    """Brings a new run to where a checkpoint was written.

    Args:
        loop: the run, made as the first was.
        checkpoint: the state.

    Raises:
        IoError: the checkpoint is of another run.
    """
    state = checkpoint.state
    _check(loop, checkpoint)
    # Runs of before tables were kept have none.
    compare_tables(state.get("tables", {}), tables_of(loop.learner.weights().values()))
    loop.learner.load_weights(state["weights"])
    loop.learner.load_state_dict(state["learner"])
    if loop.schedule is not None:
        loop.schedule.scheduler.load_state_dict(state["schedule"])
    if loop.averaging is not None:
        loop.averaging.average.load_state_dict(state["average"])
    if loop.early_stopping is not None:
        loop.early_stopping.load_state_dict(state["early_stopping"])
    loop.progress.load_state_dict(state["progress"])
    loop.meter.load_state_dict(state["meter"])
    loop.best.load_state_dict(state["best"])
    loop.history[:] = [EpochRecord(**record) for record in state["history"]]
    rest = list(loop.callbacks)
    for saved in state["callbacks"]:
        callback = next(one for one in rest if type(one).__name__ == saved["name"])
        rest.remove(callback)
        callback.load_state_dict(saved["state"])
    go_to(loop.data, state["data"])
    # Last: what was restored before may have drawn random numbers.
    ts.default_generator().set_state(state["generator"])


def _check(loop: "TrainingLoop", checkpoint: Checkpoint) -> None:
    state = checkpoint.state
    now = {
        **{f"fingerprint {name}": value for name, value in loop.fingerprint.items()},
        "a schedule": loop.schedule is not None,
        "an average": loop.averaging is not None,
        "early stopping": loop.early_stopping is not None,
    }
    then = {
        **{f"fingerprint {name}": value for name, value in state["fingerprint"].items()},
        "a schedule": state["schedule"] is not None,
        "an average": state["average"] is not None,
        "early stopping": state["early_stopping"] is not None,
    }
    # A callback may come, but one that remembers something must not go.
    have = Counter(type(one).__name__ for one in loop.callbacks)
    missing = Counter(one["name"] for one in state["callbacks"]) - have
    then |= dict.fromkeys((f"callback {name}" for name in missing), True)
    differing = [name for name in {**then, **now} if now.get(name) != then.get(name)]
    if differing:
        raise worded(
            IoError,
            "resume",
            f"{checkpoint.path.name} must be of the same run",
            expected=", ".join(f"{name} {shown(then.get(name))}" for name in differing),
            got=", ".join(shown(now.get(name)) for name in differing),
            step="resume with the settings of the first run, or start in another folder",
        )
