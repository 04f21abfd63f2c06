"""The folder that a training job leaves: everything that prediction and a repetition of the run need."""

import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import trainsmith as ts
from trainsmith import nn
from trainsmith.data._options import to_dict
from trainsmith.data._wording import shown, worded
from trainsmith.data.tabular import Preprocessor, Table, Target, complete_rows
from trainsmith.errors import DataError, IoError
from trainsmith.models import create_model, create_windowed_model
from trainsmith.models._create import WINDOWED
from trainsmith.training._arrays import Arrays, evaluate, outputs_of
from trainsmith.training._folder import new_folder
from trainsmith.training._job_config import JobConfig
from trainsmith.training._metrics import Metrics, softmax
from trainsmith.training._prepare import Prepared
from trainsmith.training._result import TrainingResult
from trainsmith.training._sections import WindowsConfig
from trainsmith.training._window_rows import gathered_windows, roles_of, series_inputs, time_order, window_starts

MANIFEST = "manifest.json"
_FORMAT = "trainsmith-artefact"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What a model says about the rows of a table.

    Args:
        rows: the rows that were predicted, counted from 0, shape (k,): all, unless `data.missing` is `drop`.
        values: class labels as text, or numbers in the target's unit, shape (k,).
        probabilities: shape (k, classes); None for regression.

    Example:
        `save_artefact` shows one.
    """

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.str_] | npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A trained model with all that it needs to predict.

    Args:
        model: the model with its trained weights.
        preprocessor: makes the inputs.
        target: maps outputs back.
        dtype: `float32` or `float64`.
        device: where the model is.
        manifest: what `manifest.json` says.
        windows: what a prediction is made from: windows of rows, or each row where their size is 0.
        time: the column that orders the rows of windows; empty for their order in the table.
        group: the column of the series that no window leaves; empty for one series.

    Example:
        `save_artefact` shows one.
    """

    model: nn.Module
    preprocessor: Preprocessor
    target: Target
    dtype: str
    device: str
    manifest: Mapping[str, Any]
    windows: WindowsConfig = field(default_factory=WindowsConfig)
    time: str = ""
    group: str = ""

    def predict(self, table: Table) -> Predictions:
        """Predicts the rows of a table; the target column may be absent, unless windows hold its past.

        With windows, the prediction of a row is the target `windows.horizon` rows after it, made from the window that
        ends there; the first rows of each series have none.

        Args:
            table: a table with the columns that the model was trained on.

        Returns:
            The predictions. Rows with a missing cell are left out where `data.missing` was `drop`.

        Raises:
            DataError: a column is missing, or a cell does not fit; line and column are named.
        """
        rows, used = self._in_use(table, ())
        x, last, _ = self._inputs(used, labelled=False)
        rows = rows[last]
        if not rows.size:
            count = len(self.target.classes)
            return Predictions(rows=rows, values=np.zeros(0), probabilities=np.zeros((0, count)) if count else None)
        outputs = outputs_of(self.model, x, self.device)
        if self.target.task == "regression":
            return Predictions(rows=rows, values=self.target.decode(outputs[:, 0]), probabilities=None)
        probabilities = softmax(outputs)
        values = np.array(self.target.classes)[probabilities.argmax(axis=1)]
        return Predictions(rows=rows, values=values, probabilities=probabilities)

    def score(self, table: Table) -> Metrics:
        """Measures the predictions of a table that has the target column.

        Args:
            table: a table with the columns that the model was trained on and the target.

        Returns:
            The loss and the metrics that training gives, and `rows`, the predictions that were measured.

        Raises:
            DataError: a column is missing, a cell does not fit, or there is nothing to predict.
        """
        _, used = self._in_use(table, (self.target.name,))
        x, _, labelled = self._inputs(used, labelled=True)
        if not labelled.size:
            raise worded(
                DataError,
                "validate",
                f"{table.source} must have rows to predict",
                expected="a complete row" if not self.windows.size else "a window and its target",
                got="none",
                step="pass more rows",
            )
        y = self.target.encode(used)[labelled]
        arrays = Arrays(x=x, y=y if self.target.classes else y.astype(self.dtype)[:, np.newaxis])
        loss, metrics = evaluate(self.model, arrays, device=self.device, mean=self.target.mean, std=self.target.std)
        return {"loss": loss, **metrics, "rows": float(labelled.size)}

    def _in_use(self, table: Table, further: Collection[str]) -> tuple[npt.NDArray[np.int64], Table]:
        """Returns the rows that are complete where they must be, and a table of them."""
        self.preprocessor.check_columns(table)
        rows = np.arange(table.rows, dtype=np.int64)
        if self.preprocessor.missing == "drop":
            rows = complete_rows(table, [*(column.name for column in self.preprocessor.columns), *further])
            table = table.take(rows)
        return rows, table

    def _inputs(
        self, table: Table, *, labelled: bool
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Returns inputs, the row each prediction is made at, and the row of its target."""
        if not self.windows.size:
            rows = np.arange(table.rows, dtype=np.int64)
            return self.preprocessor.transform(table).astype(self.dtype), rows, rows
        order, series = time_order(table, self.time, self.group)
        values = series_inputs(table, self.preprocessor, self.target, self.windows).astype(self.dtype)[order]
        windows = self.windows if labelled else replace(self.windows, stride=1)
        starts = window_starts(np.zeros(table.rows, np.int64), series, windows, labelled=labelled)
        last = starts + windows.size - 1
        return (
            gathered_windows(values, starts, windows.size),
            order[last],
            order[last + windows.horizon] if labelled else np.zeros(0, np.int64),
        )


def model_of(config: JobConfig, prepared: Prepared) -> nn.Module:
    """Makes the untrained model of a job.

    Args:
        config: the job.
        prepared: its data, which decides the numbers of inputs and outputs.

    Returns:
        The model, on the job's device, with weights drawn from the default generator.
    """
    model = config.workflow.model_config
    return _made(
        {
            "type": model.type,
            "architecture": model.architecture,
            "inputs": prepared.train.x.shape[-1],
            "outputs": len(prepared.target.classes) or 1,
        },
        config.windows.size,
        config.run.dtype,
        config.run.device,
    )


def _made(chosen: Mapping[str, Any], window: int, dtype: str, device: str) -> nn.Module:
    """Makes a model of rows, a model of windows, or a model of rows that takes a window as one long row."""
    kind, architecture = chosen["type"], chosen["architecture"]
    outputs: int = chosen["outputs"]
    options: dict[str, Any] = {"dtype": getattr(ts, dtype), "device": device}
    if window and kind in WINDOWED:
        return create_windowed_model(
            kind, architecture, window=window, features=chosen["inputs"], outputs=outputs, **options
        )
    model = create_model(kind, architecture, inputs=chosen["inputs"] * max(window, 1), outputs=outputs, **options)
    return nn.Sequential(nn.Flatten(), model) if window else model


def save_artefact(
    path: str | PathLike[str],
    *,
    model: nn.Module,
    config: JobConfig,
    config_text: str,
    prepared: Prepared,
    result: TrainingResult,
    metrics: Mapping[str, Mapping[str, float | None]],
    overwrite: bool = False,
) -> None:
    r"""Writes the folder, whole or not at all.

    It holds `model.safetensors`, `config.toml`, `preprocessing.json`, `metrics.json`, `history.json`, `split.json` (the
    data rows of each part, counted from 0) and `manifest.json` (format, status, task, model, seed, hash of the data,
    versions).

    Args:
        path: the folder.
        model: the trained model.
        config: the job.
        config_text: the content of `config.toml`.
        prepared: its data.
        result: the outcome of training.
        metrics: scores by part.
        overwrite: whether to replace an older artefact.

    Raises:
        IoError: the path is taken or cannot be written.

    Example:
        >>> import tempfile
        >>> from trainsmith.data.tabular import read_csv
        >>> from trainsmith.training import JobConfig, load_artefact, prepare, run_job, save_artefact
        >>> place = tempfile.TemporaryDirectory()
        >>> path = Path(place.name, "t.csv")
        >>> _ = path.write_text("a,y\n" + "".join(f"{i},{2 * i + 0.5}\n" for i in range(20)))
        >>> config = JobConfig.from_sections(
        ...     {"data": {"path": str(path), "target": "y"}, "training": {"num_epochs": 3}}
        ... )
        >>> data = prepare(config)
        >>> outcome = run_job(config, data)
        >>> save_artefact(
        ...     Path(place.name, "out"), model=outcome.model, config=config, config_text="",
        ...     prepared=data, result=outcome.result, metrics=outcome.metrics,
        ... )
        >>> load_artefact(Path(place.name, "out")).predict(read_csv(path)).values.shape
        (20,)
        >>> place.cleanup()
    """
    parts = {"train": prepared.split.train, "validation": prepared.split.validation, "test": prepared.split.test}
    summary = {
        "status": result.status,
        "best_epoch": result.best_epoch,
        "best_loss": result.best_loss,
        "final_loss": result.final_loss,
        "total_epochs": result.total_epochs,
    }
    with new_folder(path, overwrite=overwrite, marker=MANIFEST) as folder:
        ts.save_safetensors(str(folder / "model.safetensors"), model.state_dict(), metadata={"format": _FORMAT})
        (folder / "config.toml").write_text(config_text, encoding="utf-8")
        _write(
            folder / "preprocessing.json",
            {
                "target": prepared.target.to_dict(),
                "inputs": prepared.preprocessor.to_dict(),
                **({"windows": to_dict(config.windows), **roles_of(config.data)} if config.windows.size else {}),
            },
        )
        _write(folder / "metrics.json", {**summary, **metrics})
        # Without wall-clock time, so that equal runs give equal files.
        history = [record.to_dict() for record in result.history]
        _write(folder / "history.json", [{k: v for k, v in one.items() if k != "seconds"} for one in history])
        _write(
            folder / "split.json",
            {name: prepared.rows_in_file[rows].tolist() for name, rows in parts.items()},
            indent=None,
        )
        _write(folder / MANIFEST, _manifest(model, config, prepared, result))


def _manifest(model: nn.Module, config: JobConfig, prepared: Prepared, result: TrainingResult) -> dict[str, Any]:
    chosen = config.workflow.model_config
    return {
        "format": _FORMAT,
        "format_version": _VERSION,
        "status": result.status,
        "task": prepared.target.task,
        "model": {
            "type": chosen.type,
            "architecture": dict(chosen.architecture),
            "inputs": prepared.train.x.shape[-1],
            "outputs": len(prepared.target.classes) or 1,
            "parameter_count": sum(int(np.prod(one.shape)) for one in model.parameters()),
        },
        "dtype": config.run.dtype,
        "device": config.run.device,
        "random_seed": config.workflow.random_seed,
        "data": {
            "file": prepared.table.source,
            "sha256": prepared.table.sha256,
            "rows": prepared.table.rows,
            "target": prepared.target.name,
        },
        "versions": {
            "trainsmith": ts.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "platform": platform.platform(),
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "training_time_seconds": round(result.training_time_seconds, 3),
        "notes": list(prepared.notes),
    }


def load_artefact(path: str | PathLike[str], *, device: str = "cpu") -> Artefact:
    """Reads what `save_artefact` wrote; nothing outside the folder is needed.

    Args:
        path: the folder.
        device: where to put the model.

    Returns:
        The model, ready to predict.

    Raises:
        IoError: the folder or one of its files is missing or damaged.
        DataError: the folder is no artefact, or one of a newer format.

    Example:
        >>> try:
        ...     load_artefact("no-such-folder")
        ... except IoError as error:
        ...     print(error.expected)
        a folder with manifest.json
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        raise worded(
            IoError,
            "load",
            "an artefact must be a folder that `trainsmith train` wrote",
            expected=f"a folder with {MANIFEST}",
            got=shown(str(folder)),
            step="pass the folder of run.output",
        )
    manifest = _read(folder / MANIFEST)
    if manifest.get("format") != _FORMAT or manifest.get("format_version") != _VERSION:
        raise worded(
            DataError,
            "load",
            f"{folder.name} must have a known format",
            expected=f"{_FORMAT} {_VERSION}",
            got=f"{manifest.get('format')} {manifest.get('format_version')}",
            step="use the trainsmith version that wrote it",
        )
    try:
        preprocessing = _read(folder / "preprocessing.json")
        dtype = str(manifest["dtype"])
        windows = WindowsConfig(**preprocessing.get("windows", {}))
        model = _made(manifest["model"], windows.size, dtype, device)
        target = Target.from_dict(preprocessing["target"])
        preprocessor = Preprocessor.from_dict(preprocessing["inputs"])
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error
    if not (folder / "model.safetensors").is_file():
        raise _damaged(folder, "no model.safetensors")
    model.load_state_dict(ts.load_safetensors(str(folder / "model.safetensors")))
    return Artefact(
        model=model,
        preprocessor=preprocessor,
        target=target,
        dtype=dtype,
        device=device,
        manifest=manifest,
        windows=windows,
        time=str(preprocessing.get("time", "")),
        group=str(preprocessing.get("group", "")),
    )


def _damaged(folder: Path, what: str) -> IoError:
    return worded(
        IoError,
        "load",
        f"artefact {shown(str(folder))} must be complete",
        expected="the files that `trainsmith train` wrote",
        got=what,
        step="train again, or restore the folder",
    )


def _write(path: Path, value: object, *, indent: int | None = 2) -> None:
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path.parent, f"{path.name}: {error}") from error
