"""Laws of metric computers, folds and cross-validators."""

from typing import Any, cast

import numpy as np

from trainsmith.testing._data_laws import rows_of
from trainsmith.testing._law import equal, is_mapping, law, refuses_cancelled
from trainsmith.training import (
    BatchConfig,
    CrossValidator,
    CVConfig,
    CVResult,
    DataProvider,
    Fold,
    MetricComputer,
    ModelProvider,
)
from trainsmith.training._protocols_validation import Values

_CONFIG = BatchConfig(batch_size=8, shuffle=False)


def check_metric_computer(computer: MetricComputer, predictions: Values, targets: Values) -> None:
    """Checks the laws of a `MetricComputer`; its metrics are the same afterwards.

    Args:
        computer: the computer.
        predictions: what its metrics take.
        targets: the truth.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_metric_computer
        >>> from trainsmith.training import DefaultMetricComputer
        >>> check_metric_computer(DefaultMetricComputer(["mse", "mae"]), [1.0, 2.0], [1.0, 3.0])
    """
    law(
        isinstance(cast(Any, computer), MetricComputer),
        "a computer has compute_metrics, register_metric, unregister_metric and available_metrics",
    )
    name = "check_metric_computer"
    before = list(computer.available_metrics())
    law(before == sorted(before), "available_metrics() is sorted", before)
    computer.register_metric(name, lambda predictions, targets, metadata: 1.5)
    law(name in computer.available_metrics(), "a registered metric is available")
    scores = computer.compute_metrics(predictions, targets)
    law(sorted(scores) == sorted([*before, name]), "compute_metrics gives every registered metric", sorted(scores))
    law(scores[name] == 1.5, "a metric's value is what its function returned", scores[name])
    law(all(type(value) is float for value in scores.values()), "values are floats", dict(scores))
    law(scores == computer.compute_metrics(predictions, targets), "equal arguments give equal values")
    computer.register_metric(name, lambda predictions, targets, metadata: metadata["factor"] * 2.0)
    again = computer.compute_metrics(predictions, targets, {"factor": 2.0})
    law(again[name] == 4.0, "a metric of the same name is replaced, and metrics see the metadata", again[name])
    refuses_cancelled(
        lambda ctx: computer.compute_metrics(predictions, targets, {"factor": 1.0}, ctx=ctx), "compute_metrics"
    )
    computer.unregister_metric(name)
    computer.unregister_metric(name)
    law(
        list(computer.available_metrics()) == before,
        "unregister_metric removes the metric",
        computer.available_metrics(),
    )


def check_fold(fold: Fold) -> None:
    """Checks the laws of a `Fold`.

    Args:
        fold: the fold. `train_rows` and `valid_rows` of its metadata, where they are there, must be disjoint.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_fold
        >>> check_fold(object())
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a fold has train_data, valid_data, fold_index and metadata
    """
    law(isinstance(cast(Any, fold), Fold), "a fold has train_data, valid_data, fold_index and metadata")
    index = fold.fold_index()
    law(type(index) is int and index >= 0, "fold_index() counts from 0", index)
    metadata = fold.metadata()
    law(is_mapping(metadata), "metadata() is a mapping from names", metadata)
    parts = {"train_data()": fold.train_data(), "valid_data()": fold.valid_data()}
    for name, provider in parts.items():
        law(isinstance(cast(Any, provider), DataProvider), f"{name} is a DataProvider", provider)
        law(bool(rows_of(provider.get_training_data(_CONFIG))), f"{name} gives its rows as training data", "none")
    valid = parts["valid_data()"]
    law(
        equal(rows_of(valid.get_training_data(_CONFIG)), rows_of(valid.get_validation_data(_CONFIG))),
        "valid_data() gives the same rows as validation data",
    )
    if "train_rows" in metadata and "valid_rows" in metadata:
        shared = set(np.asarray(metadata["train_rows"]).tolist()) & set(np.asarray(metadata["valid_rows"]).tolist())
        law(not shared, "no row is in both parts of a fold", sorted(shared)[:5])


def check_cross_validator(
    validator: CrossValidator,
    dataset: DataProvider,
    *,
    config: CVConfig | None = None,
    model_provider: ModelProvider | None = None,
) -> None:
    """Checks the laws of a `CrossValidator`.

    Args:
        validator: the validator.
        dataset: enough training rows for the folds.
        config: the folds; 3 blocks by default.
        model_provider: to check `validate_model` too.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> import numpy as np
        >>> from trainsmith.testing import check_cross_validator
        >>> from trainsmith.training import ArrayDataProvider, DefaultCrossValidator
        >>> check_cross_validator(DefaultCrossValidator(), ArrayDataProvider(np.zeros((9, 2)), np.zeros(9)))
    """
    law(isinstance(cast(Any, validator), CrossValidator), "a validator has create_folds and validate_model")
    config = config or CVConfig(num_folds=3)
    folds = validator.create_folds(dataset, config)
    law([fold.fold_index() for fold in folds] == list(range(len(folds))), "folds are numbered from 0, in order")
    law(bool(folds), "there is at least one fold", 0)
    for fold in folds:
        check_fold(fold)
    again = validator.create_folds(dataset, config)
    for one, other in zip(folds, again, strict=True):
        law(
            all(
                equal(rows_of(left.get_training_data(_CONFIG)), rows_of(right.get_training_data(_CONFIG)))
                for left, right in ((one.train_data(), other.train_data()), (one.valid_data(), other.valid_data()))
            ),
            "equal arguments give equal folds",
            one.fold_index(),
        )
    refuses_cancelled(lambda ctx: validator.create_folds(dataset, config, ctx=ctx), "create_folds")
    if model_provider is not None:
        result = validator.validate_model(dataset, model_provider, config)
        law(isinstance(cast(Any, result), CVResult), "validate_model returns a CVResult", result)
        law(len(result.fold_results) == len(folds), "every fold is listed", len(result.fold_results))
        losses = [one.loss for one in result.fold_results if one.loss is not None]
        mean = result.mean_loss
        law(
            mean is None if not losses else mean is not None and bool(np.isclose(mean, np.mean(losses))),
            "mean_loss is the mean over the folds",
            mean,
        )
