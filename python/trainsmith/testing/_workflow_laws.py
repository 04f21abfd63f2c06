"""Laws of model providers and training workflows."""

from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np

from trainsmith.testing._law import equal, is_mapping, law, refuses_cancelled, snapshot
from trainsmith.training import (
    DataProvider,
    ModelConfig,
    ModelInfo,
    ModelProvider,
    TrainingResult,
    TrainingWorkflow,
    ValidationResult,
    WorkflowConfig,
)


def check_model_provider(
    provider: ModelProvider, *, folder: str | PathLike[str], config: ModelConfig | None = None
) -> None:
    """Checks the laws of a `ModelProvider`.

    Args:
        provider: the provider; its models have parameters.
        folder: an empty folder to write to.
        config: the model to ask for.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_model_provider
        >>> check_model_provider(object(), folder=".")
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a provider has create_model, load_model, save_model and get_model_info
    """
    law(
        isinstance(cast(Any, provider), ModelProvider),
        "a provider has create_model, load_model, save_model and get_model_info",
    )
    config = config or ModelConfig()
    info = provider.get_model_info()
    law(isinstance(cast(Any, info), ModelInfo), "get_model_info() is a ModelInfo", info)
    model = provider.create_model(config)
    law(model is not provider.create_model(config), "create_model makes a new model each time")
    before = snapshot(model.parameters)
    path = Path(folder, "model")
    provider.save_model(model, path)
    provider.save_model(model, path)
    law(equal(before, snapshot(model.parameters)), "save_model changes no parameter")
    loaded = provider.load_model(path)
    law(equal(before, snapshot(loaded.parameters)), "load_model gives the saved parameters, bit for bit")
    refuses_cancelled(lambda ctx: provider.create_model(config, ctx=ctx), "create_model")


def check_training_workflow(
    workflow: TrainingWorkflow,
    *,
    dataset: DataProvider,
    model_provider: ModelProvider,
    config: WorkflowConfig | None = None,
) -> None:
    """Checks the laws of a `TrainingWorkflow`.

    Args:
        workflow: a new workflow. It is shut down afterwards.
        dataset: training and validation rows.
        model_provider: makes the model.
        config: how to train; 3 epochs by default.

    Raises:
        AssertionError: a law is broken; the message states it.

    Example:
        >>> from trainsmith.testing import check_training_workflow
        >>> check_training_workflow(object(), dataset=None, model_provider=None)
        Traceback (most recent call last):
        ...
        AssertionError: broken law: a workflow has initialize, train, validate, get_metrics and shutdown
    """
    law(
        isinstance(cast(Any, workflow), TrainingWorkflow),
        "a workflow has initialize, train, validate, get_metrics and shutdown",
    )
    config = config or WorkflowConfig(num_epochs=3)
    workflow.initialize(config)
    result = workflow.train(dataset, model_provider)
    law(isinstance(cast(Any, result), TrainingResult), "train returns a TrainingResult", result)
    law(0 < result.total_epochs <= config.num_epochs, "training runs 1 to num_epochs epochs", result.total_epochs)
    final, best = result.final_loss, result.best_loss
    law(
        final is not None and best is not None and bool(np.isfinite([final, best]).all()) and best <= final,
        "losses are finite and the best is at most the last",
        (best, final),
    )
    law(result.training_time_seconds > 0, "training takes time", result.training_time_seconds)
    metrics = workflow.get_metrics()
    law(is_mapping(metrics), "get_metrics() is a mapping from names", metrics)
    if isinstance(metrics, dict):
        metrics["check_training_workflow"] = 1
        law("check_training_workflow" not in workflow.get_metrics(), "changing what get_metrics() gave changes nothing")
    one, two = workflow.validate(dataset, model_provider), workflow.validate(dataset, model_provider)
    law(isinstance(cast(Any, one), ValidationResult), "validate returns a ValidationResult", one)
    law(one.sample_count > 0, "sample_count counts the validation rows", one.sample_count)
    law(one.loss is not None and bool(np.isfinite(one.loss)), "the validation loss is finite", one.loss)
    law(
        one.loss == two.loss and dict(one.metrics) == dict(two.metrics),
        "validation changes nothing",
        (one.loss, two.loss),
    )
    refuses_cancelled(lambda ctx: workflow.validate(dataset, model_provider, ctx=ctx), "validate")
    workflow.shutdown()
    workflow.shutdown()
