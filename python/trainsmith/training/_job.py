"""One training job: prepared data in, trained model and scores out."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import trainsmith as ts
from trainsmith import nn
from trainsmith.data.tabular import Target
from trainsmith.training._arrays import Arrays, evaluate
from trainsmith.training._artefact import model_of
from trainsmith.training._context import RunContext
from trainsmith.training._fit import fit
from trainsmith.training._job_config import JobConfig
from trainsmith.training._metrics import Metrics, classification_metrics, regression_metrics
from trainsmith.training._prepare import Prepared
from trainsmith.training._result import EpochRecord, TrainingResult
from trainsmith.training.checkpoints import CheckpointConfig
from trainsmith.training.loop import Callback, LoopConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """What a job gives.

    Args:
        model: the model with its best weights.
        result: the outcome of training.
        metrics: scores by part: `train`, `validation`, `test`, and `baseline`, which predicts the training part's most
            frequent class or mean for the test rows (the validation rows where there is no test).

    Example:
        `run_job` shows one.
    """

    model: nn.Module
    result: TrainingResult
    metrics: dict[str, Metrics]


def run_job(
    config: JobConfig,
    prepared: Prepared,
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    stop: Callable[[], bool] | None = None,
    callbacks: Iterable[Callback] = (),
    loop: LoopConfig | None = None,
    checkpoints: CheckpointConfig | None = None,
    resume: bool = False,
    ctx: RunContext | None = None,
) -> JobOutcome:
    r"""Trains and scores a model; `training.random_seed` decides every draw.

    Args:
        config: the job.
        prepared: its data.
        on_step: called after each step with the steps done in the epoch and their number.
        on_epoch: called after each epoch.
        stop: asked after each step; True ends training after that step. Without it the first Ctrl-C or SIGTERM does.
        callbacks: watch and steer.
        loop: further limits and switches.
        checkpoints: where and when to save the state of the run; None for never.
        resume: whether to go on from the newest whole checkpoint, where there is one. Data, split, model, optimizer and
            schedule must be those of the first run.
        ctx: ends training after the current step once it is done.

    Returns:
        Model, result and scores.

    Raises:
        CancelledError: the context was done before the first step.
        DataError: the loss is no longer finite.
        DeviceError: the device is not there.
        IoError: a checkpoint cannot be written, or is of another run.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import JobConfig, prepare, run_job
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,y\n" + "".join(f"{i},{2 * i + 0.5}\n" for i in range(20)))
        >>> config = JobConfig.from_sections(
        ...     {"data": {"path": str(path), "target": "y"}, "training": {"num_epochs": 3}}
        ... )
        >>> outcome = run_job(config, prepare(config))
        >>> outcome.result.total_epochs, sorted(outcome.metrics)
        (3, ['baseline', 'test', 'train', 'validation'])
        >>> folder.cleanup()
    """
    ts.manual_seed(config.workflow.random_seed)
    model = model_of(config, prepared)
    device = config.run.device
    scale = prepared.target.mean, prepared.target.std
    result = fit(
        model,
        prepared.train,
        prepared.validation,
        config=config.workflow,
        optimizer=config.optimizer,
        schedule=config.schedule,
        device=device,
        target_scale=scale,
        on_step=on_step,
        on_epoch=on_epoch,
        stop=stop,
        callbacks=callbacks,
        loop=loop,
        checkpoints=checkpoints,
        resume=resume,
        fingerprint=_fingerprint(config, prepared),
        ctx=ctx,
    )
    parts = {"train": prepared.train, "validation": prepared.validation, "test": prepared.test}
    metrics: dict[str, Metrics] = {}
    for name, arrays in parts.items():
        if arrays is not None:
            loss, scores = evaluate(model, arrays, device=device, mean=scale[0], std=scale[1])
            metrics[name] = {"loss": loss, **scores}
    judged = prepared.test or prepared.validation
    if judged is not None:
        metrics["baseline"] = _baseline(prepared.train, judged, prepared.target)
    return JobOutcome(model=model, result=result, metrics=metrics)


def _fingerprint(config: JobConfig, prepared: Prepared) -> dict[str, Any]:
    """Says what must be the same when a run goes on: the settings and the training data."""
    sections = config.to_sections()
    kept = {name: sections[name] for name in ("windows", "split", "model", "optimizer", "schedule")}
    digest = hashlib.sha256(prepared.train.x.tobytes())
    digest.update(prepared.train.y.tobytes())
    return {**kept, "dtype": config.run.dtype, "training data": digest.hexdigest()}


def _baseline(train: Arrays, judged: Arrays, target: Target) -> Metrics:
    if target.classes:
        counts = np.bincount(train.y.astype(np.int64), minlength=len(target.classes))
        return classification_metrics(np.tile(counts / counts.sum(), (judged.rows, 1)), judged.y.astype(np.int64))
    true = target.decode(judged.y[:, 0].astype(np.float64))
    return regression_metrics(np.full(judged.rows, target.mean), true)
