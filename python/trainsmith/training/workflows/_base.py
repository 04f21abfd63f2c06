"""What workflows share: everything around the one loop."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypedDict

import numpy as np

import trainsmith as ts
from trainsmith import nn
from trainsmith.data._wording import worded
from trainsmith.errors import ConfigError
from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._config import WorkflowConfig
from trainsmith.training._context import RunContext, raise_if_done
from trainsmith.training._early_stopping import EarlyStopConfig, EarlyStopping
from trainsmith.training._element import T
from trainsmith.training._graph import Graph
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._protocols_validation import MetricComputer
from trainsmith.training._protocols_workflow import ModelProvider
from trainsmith.training._result import TrainingResult, ValidationResult
from trainsmith.training.checkpoints import CheckpointConfig, CheckpointStore
from trainsmith.training.loop import (
    Averaging,
    BatchValidation,
    Callback,
    LoopConfig,
    Scheduling,
    TrainerLearner,
    TrainingLoop,
)

_OP = "workflow"


class RunOptions(TypedDict, total=False):
    """What every workflow on the loop takes by keyword and hands on to `LoopWorkflow`, which explains it."""

    loop: LoopConfig | None
    callbacks: Iterable[Callback]
    checkpoints: CheckpointConfig | None
    resume: bool
    metrics: Iterable[str]
    computer: MetricComputer | None


class LoopWorkflow(ABC, Generic[T]):
    """The base of workflows on the one loop.

    `train` seeds the default generator with `random_seed`, makes the model, trains with the rate and the early stop of
    the configuration, validates after each epoch where there are validation rows, and leaves the best weights in place.
    The first Ctrl-C or SIGTERM ends it after the current step with status `interrupted`.

    Args:
        loop: further limits and switches; its `max_epochs` gives way to the configuration's `num_epochs`.
        callbacks: watch and steer.
        checkpoints: where and when to save the state; None for never.
        resume: whether `train` goes on from the newest whole checkpoint, where there is one.
        metrics: names of metrics that validations compute, beside those in `metric_configs`.
        computer: computes further metrics over all predictions together.
    """

    def __init__(
        self,
        *,
        loop: LoopConfig | None = None,
        callbacks: Iterable[Callback] = (),
        checkpoints: CheckpointConfig | None = None,
        resume: bool = False,
        metrics: Iterable[str] = (),
        computer: MetricComputer | None = None,
    ) -> None:
        self._loop = loop or LoopConfig()
        self._callbacks = tuple(callbacks)
        self._checkpoints = checkpoints
        self._resume = resume
        self._metric_names = tuple(metrics)
        self._computer = computer
        self._config: WorkflowConfig | None = None
        self._learner: TrainerLearner | None = None
        self._metrics: dict[str, float | None] = {}

    @abstractmethod
    def make_learner(self, graph: Graph, dataset: DataProvider[T], config: WorkflowConfig) -> TrainerLearner:
        """Makes what the loop trains.

        Args:
            graph: the new model.
            dataset: its metadata may say which loss fits.
            config: how to train.

        Returns:
            Model, optimizer and step.
        """

    def make_schedule(self, optimizer: Any, config: WorkflowConfig) -> Scheduling | None:
        """Makes the schedule of the rate; none by default.

        Args:
            optimizer: whose rate it sets.
            config: how to train.

        Returns:
            The schedule; None for a constant rate.
        """
        del optimizer, config
        return None

    def make_averaging(self) -> Averaging | None:
        """Returns the average of the weights that belongs to the learner; none by default."""
        return None

    @property
    def model(self) -> Any:
        """The trained graph; None before `train` and after `shutdown`."""
        return None if self._learner is None else self._learner.model

    def initialize(self, config: WorkflowConfig, *, ctx: RunContext | None = None) -> None:
        """Takes the configuration; see `TrainingWorkflow.initialize`."""
        raise_if_done(ctx, _OP)
        self._config = config

    def train(
        self, dataset: DataProvider[T], model_provider: ModelProvider[T], *, ctx: RunContext | None = None
    ) -> TrainingResult:
        """Trains a new model; see `TrainingWorkflow.train`.

        Returns:
            The outcome: `model` is the trained graph, `metrics` has `epoch_<i>_loss` (the training loss of epoch i,
            counted from 0) and, as `validation_<name>`, the metrics of the best epoch.

        Raises:
            ConfigError: `initialize` was not called.
            CancelledError: the context was done before the first step.
            DataError: no training rows, or a loss that is not finite.
            IoError: a checkpoint cannot be written, or is of another run.
        """
        raise_if_done(ctx, _OP)
        config = self._configured()
        ts.manual_seed(config.random_seed)
        graph = as_graph(model_provider.create_model(config.model_config, ctx=ctx))
        self._learner = learner = self.make_learner(graph, dataset, config)
        self._metrics = {}
        data = dataset.get_training_data(config.batch_config, ctx=ctx)
        validation = dataset.get_validation_data(config.batch_config, ctx=ctx)
        patience = config.max_no_improve
        graph.train()
        try:
            result = TrainingLoop(
                learner,
                data,
                config=LoopConfig.from_dict({**self._loop.to_dict(), "max_epochs": config.num_epochs}),
                validate=self._validation(validation, dataset, config),
                schedule=self.make_schedule(learner.optimizer, config),
                averaging=self.make_averaging(),
                early_stopping=EarlyStopping(
                    EarlyStopConfig(patience=patience, alpha=1.0, min_delta=config.early_stop_tolerance, on_nan="skip")
                )
                if patience
                else None,
                callbacks=self._callbacks,
                checkpoints=None if self._checkpoints is None else CheckpointStore(self._checkpoints),
                resume=self._resume,
                fingerprint={
                    "seed": config.random_seed,
                    "learning_rate": config.learning_rate,
                    "batches": config.batch_config.identity(),
                    "model": config.model_config.to_dict(),
                    "training data": "" if self._checkpoints is None else identity_of(dataset),
                },
                batches=_batch_count(dataset, config),
                ctx=ctx,
            ).run()
        finally:
            data.close()
            validation.close()
        self._metrics = _metrics_of(result)
        return TrainingResult(
            **{name: getattr(result, name) for name in result.__dataclass_fields__ if name != "metrics"},
            metrics=self._metrics,
        )

    def validate(
        self, dataset: DataProvider[T], model_provider: ModelProvider[T], *, ctx: RunContext | None = None
    ) -> ValidationResult:
        """Measures the trained model on the validation rows; see `TrainingWorkflow.validate`.

        Returns:
            The outcome, with the model's outputs as `extensions["predictions"]`. Without validation rows `loss` is None
            and `extensions["error"]` says so.

        Raises:
            ConfigError: nothing was trained.
            CancelledError: the context was done.
        """
        del model_provider
        raise_if_done(ctx, _OP)
        config = self._configured()
        if self._learner is None:
            raise worded(
                ConfigError,
                _OP,
                "a validation needs a trained model",
                expected="train before validate",
                got="no model",
                step="call train first",
            )
        data = dataset.get_validation_data(config.batch_config, ctx=ctx)
        try:
            result = self._validation(data, dataset, config, keep=True)(ctx=ctx)
        finally:
            data.close()
        return result or ValidationResult(extensions={"error": "no validation rows"})

    def get_metrics(self) -> Mapping[str, Any]:
        """Returns a copy of the metrics of the last training."""
        return dict(self._metrics)

    def shutdown(self, *, ctx: RunContext | None = None) -> None:
        """Lets go of the model and the metrics.

        Args:
            ctx: not used: there is nothing to wait for.
        """
        del ctx
        self._learner, self._metrics = None, {}

    def _configured(self) -> WorkflowConfig:
        if self._config is None:
            raise worded(
                ConfigError,
                _OP,
                "a workflow needs its configuration",
                expected="initialize before anything else",
                got="no configuration",
                step="call initialize(config) first",
            )
        return self._config

    def _validation(
        self, data: Any, dataset: DataProvider[T], config: WorkflowConfig, *, keep: bool = False
    ) -> BatchValidation:
        assert self._learner is not None, "made before"
        return BatchValidation(
            self._learner,
            data,
            metrics=dict.fromkeys((*self._metric_names, *config.metric_configs)),
            computer=self._computer,
            metadata=dataset.get_metadata(),
            keep_predictions=keep,
        )


def as_graph(model: Any) -> Graph:
    """Takes a graph as it is and makes one of a module.

    Args:
        model: what a model provider made.

    Returns:
        The graph; a module's has one input, `x`.

    Raises:
        ArgumentError: neither a graph nor a module.

    Example:
        >>> from trainsmith import nn
        >>> as_graph(nn.Linear(2, 1)).inputs[0].name
        'x'
    """
    return model if isinstance(model, Graph) else Graph(model)


def same_kind(optimizer: Any, graph: Graph) -> Any:
    """Gives an optimizer for a model: the one that is given where it has the model's parameters, else one like it.

    Args:
        optimizer: an optimizer, or a function of parameters that makes one.
        graph: the model.

    Returns:
        An optimizer of the graph's parameters.

    Example:
        >>> from trainsmith import nn, optim
        >>> graph = Graph(nn.Linear(2, 1))
        >>> same_kind(optim.SGD(nn.Linear(1, 1).parameters(), lr=0.5), graph).param_groups[0]["lr"]
        0.5
    """
    parameters = list(graph.parameters())
    if not hasattr(optimizer, "param_groups"):
        return optimizer(parameters)
    owned = {id(one) for one in optimizer.parameters()}
    if all(id(one) in owned for one in parameters):
        return optimizer
    known = {name: value for name, value in optimizer.param_groups[0].items() if name in optimizer.defaults}
    return type(optimizer)(parameters, **known)


def set_rate(optimizer: Any, rate: float) -> None:
    """Sets the rate of every group of an optimizer, where it has groups.

    Args:
        optimizer: whose rate is set.
        rate: above 0.
    """
    for group in getattr(optimizer, "param_groups", ()):
        group["lr"] = rate


def loss_of(loss: Any, metadata: Mapping[str, Any]) -> Any:
    """Chooses the loss.

    Args:
        loss: a loss; None for cross-entropy where the metadata say `task = "classification"`, else the squared error.
        metadata: of the data.

    Returns:
        A function of output and targets.

    Example:
        >>> type(loss_of(None, {"task": "classification"})).__name__
        'CrossEntropyLoss'
    """
    if loss is not None:
        return loss
    # One value per row: the trainer takes the mean, by weights where the batch has them.
    kind = nn.CrossEntropyLoss if metadata.get("task") == "classification" else nn.MSELoss
    return kind(reduction="none")


def identity_of(dataset: DataProvider[Any]) -> str:
    """Tells data apart, such as the folds of one table.

    Args:
        dataset: the data.

    Returns:
        A hash of the training rows where they are in memory, else of the number of rows.

    Example:
        >>> import numpy as np
        >>> from trainsmith.training import ArrayDataProvider
        >>> one, two = (ArrayDataProvider(np.zeros((2, 1)), np.full(2, y)) for y in (0.0, 1.0))
        >>> identity_of(one) == identity_of(two)
        False
    """
    digest = hashlib.sha256(str(dataset.get_metadata().get("rows")).encode())
    if isinstance(dataset, ArrayDataProvider):
        for array in (*dataset.inputs.values(), dataset.targets):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _batch_count(dataset: DataProvider[Any], config: WorkflowConfig) -> int | None:
    rows, batches = dataset.get_metadata().get("rows"), config.batch_config
    if not isinstance(rows, int):
        return None
    return rows // batches.batch_size if batches.drop_last else math.ceil(rows / batches.batch_size)


def _metrics_of(result: TrainingResult) -> dict[str, float | None]:
    found: dict[str, float | None] = {f"epoch_{one.epoch - 1}_loss": one.training_loss for one in result.history}
    best = next((one for one in result.history if one.epoch == result.best_epoch), None)
    if best is not None and best.validation_loss is not None:
        found["validation_loss"] = best.validation_loss
        found |= {f"validation_{name}": value for name, value in best.validation_metrics.items()}
    return found
