"""How the built-in data providers are made from settings."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from trainsmith.data._npz import read_npz
from trainsmith.data._wording import shown, worded
from trainsmith.data.tabular import Table, read_arrow
from trainsmith.errors import DataError
from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._context import RunContext
from trainsmith.training._job_config import JobConfig
from trainsmith.training._known_names import check_names
from trainsmith.training._prepare import prepare
from trainsmith.training._window_provider import WindowDataProvider

_OPTIONS = ("class_weights", "sampling", "metadata", "seed", "device", "allow_non_finite")
_ROW_OPTIONS = ("weights", "validation_weights", "columns")


def array_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    """Makes the built-in data provider `arrays`.

    Args:
        config: `inputs` and `targets`, and what else `ArrayDataProvider` takes.
        ctx: holds the dtype, to which float arrays are converted.

    Returns:
        The provider.

    Raises:
        ConfigError: unknown or missing names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> Float32Registry.get_data_provider("arrays", {"inputs": [[1.0]], "targets": [2.0]}).get_metadata()["rows"]
        1
    """
    check_names("arrays", config, ("inputs", "targets"), ("validation", *_ROW_OPTIONS, *_OPTIONS))
    dtype = np.dtype(str(ctx.value("dtype")))
    validation = config.get("validation")
    others = {name: value for name, value in config.items() if name not in ("inputs", "targets", "validation")}
    return ArrayDataProvider(
        _converted(config["inputs"], dtype),
        _converted(config["targets"], dtype),
        validation=None if validation is None else (_converted(validation[0], dtype), _converted(validation[1], dtype)),
        **others,
    )


def csv_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    r"""Makes the built-in data provider `csv`: a table, split and standardised by its training rows.

    Args:
        config: the sections `data` (with `path` and `target`) and, where wanted, `split` and `training`, as in a
            configuration file.
        ctx: holds the dtype.

    Returns:
        Training and validation rows; the metadata hold `task`, `classes`, `feature_names`, `target_mean`,
        `target_std`, `test_inputs` and `test_targets`.

    Raises:
        ConfigError: a setting that breaks its rule.
        DataError: the table breaks a rule.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import Float64Registry
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.csv")
        >>> _ = path.write_text("a,y" + "".join(f"\n{i},{2 * i + 0.5}" for i in range(20)))
        >>> provider = Float64Registry.get_data_provider("csv", {"data": {"path": str(path), "target": "y"}})
        >>> provider.get_metadata()["rows"]
        14
        >>> folder.cleanup()
    """
    check_names("csv", config, ("data",), ("split", "training"))
    return _of_table(config, ctx, None)


def parquet_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    """Makes the built-in data provider `parquet`, which takes columnar files and tables as `csv` takes CSV files.

    Args:
        config: as for `csv`, with a Parquet or Arrow file as `data.path`; or a `table` with `__arrow_c_stream__`, such
            as a polars or pandas DataFrame, and then no path.
        ctx: holds the dtype.

    Returns:
        The provider, with the metadata of `csv`.

    Raises:
        ConfigError: a setting that breaks its rule.
        DataError: the table breaks a rule, or pyarrow is not installed.

    Example:
        With the extra installed, `get_data_provider("parquet", {"table": frame, "data": {"target": "y"}})` takes the
        polars frame `frame`.
    """
    check_names("parquet", config, ("data",), ("split", "training", "table"))
    sections = {name: value for name, value in config.items() if name != "table"}
    if "table" not in config:
        return _of_table(sections, ctx, None)
    sections["data"] = {"path": "table", **sections["data"]}
    return _of_table(sections, ctx, read_arrow(config["table"]))


def npz_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> ArrayDataProvider[Any]:
    """Makes the built-in data provider `npz`: the arrays of a NumPy archive.

    Args:
        config: `path`; `targets`, the name of that array, `y` by default; `inputs`, the names of the input arrays, by
            default all that are nothing else; `weights`, `columns` and `validation`, where wanted: names of arrays, and
            the path of another archive with the same names. Further entries are those of `arrays`.
        ctx: holds the dtype, to which float arrays are converted.

    Returns:
        The provider.

    Raises:
        IoError: a file is missing.
        DataError: a file is no archive, or has no array of a name.

    Example:
        >>> import pathlib, tempfile
        >>> from trainsmith.training import Float32Registry
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "t.npz")
        >>> np.savez(path, x=np.zeros((5, 2)), y=np.zeros(5))
        >>> Float32Registry.get_data_provider("npz", {"path": str(path)}).get_metadata()["rows"]
        5
        >>> folder.cleanup()
    """
    named = ("inputs", "targets", "weights", "columns", "validation")
    check_names("npz", config, ("path",), (*named, *_OPTIONS))
    dtype = np.dtype(str(ctx.value("dtype")))
    arrays = read_npz(config["path"])
    targets, weights = config.get("targets", "y"), config.get("weights")
    columns = tuple(config.get("columns", ()))
    others = {targets, weights, *columns}
    inputs = tuple(config.get("inputs") or (name for name in arrays if name not in others))

    def parts(found: Mapping[str, Any], path: str) -> tuple[Any, Any, Any]:
        absent = [name for name in (*inputs, targets, *((weights,) if weights else ())) if name not in found]
        if absent or not inputs:
            raise worded(
                DataError,
                "npz",
                f"{path} must hold the arrays that the settings name",
                expected=", ".join(map(shown, absent)) or "an array beside the targets",
                got=", ".join(map(shown, found)) or "no array",
                step="change inputs, targets or weights",
            )
        return (
            {name: _converted(found[name], dtype) for name in inputs},
            _converted(found[targets], dtype),
            found[weights] if weights else None,
        )

    x, y, w = parts(arrays, str(config["path"]))
    held = None if "validation" not in config else parts(read_npz(config["validation"]), str(config["validation"]))
    return ArrayDataProvider(
        x,
        y,
        weights=w,
        validation=None if held is None else held[:2],
        validation_weights=None if held is None else held[2],
        columns={name: arrays[name] for name in columns if name in arrays},
        **{name: config[name] for name in _OPTIONS if name in config},
    )


def window_data_provider(*, config: Mapping[str, Any], ctx: RunContext) -> WindowDataProvider[Any]:
    """Makes the built-in data provider `windows`.

    Args:
        config: `rows` and `window_len`, and what else `WindowDataProvider` takes.
        ctx: holds the dtype.

    Returns:
        The provider.

    Raises:
        ConfigError: unknown or missing names.

    Example:
        >>> from trainsmith.training import Float32Registry
        >>> rows = np.arange(20.0)[:, np.newaxis]
        >>> Float32Registry.get_data_provider("windows", {"rows": rows, "window_len": 4}).get_metadata()["rows"]
        12
    """
    more = ("horizon", "stride", "label_column", "drop_label_from_inputs", "validation_ratio", "groups", "standardise")
    check_names("windows", config, ("rows", "window_len"), (*more, "seed", "device"))
    return WindowDataProvider(**config, dtype=str(ctx.value("dtype")))


def _of_table(config: Mapping[str, Any], ctx: RunContext, table: Table | None) -> ArrayDataProvider[Any]:
    job = JobConfig.from_sections({**config, "run": {"dtype": str(ctx.value("dtype"))}})
    prepared = prepare(job, table)
    validation, test = prepared.validation, prepared.test
    metadata: dict[str, Any] = {
        "task": prepared.target.task,
        "classes": prepared.target.classes,
        "feature_names": tuple(prepared.preprocessor.feature_names),
        "target_mean": prepared.target.mean,
        "target_std": prepared.target.std,
    }
    if test is not None:
        metadata |= {"test_inputs": test.x, "test_targets": test.y}
    return ArrayDataProvider(
        prepared.train.x,
        prepared.train.y,
        weights=prepared.train.weight,
        validation=None if validation is None else (validation.x, validation.y),
        validation_weights=None if validation is None else validation.weight,
        metadata=metadata,
        seed=job.workflow.random_seed,
    )


def _converted(value: Any, dtype: np.dtype[Any]) -> Any:
    """Returns float arrays in the dtype and others as they are."""
    if isinstance(value, Mapping):
        return {name: _converted(one, dtype) for name, one in cast(Mapping[str, Any], value).items()}
    found: np.ndarray[Any, Any] = np.asarray(value)
    return found.astype(dtype, copy=False) if found.dtype.kind == "f" else found
