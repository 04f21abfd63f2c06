"""Runs a trainer as a workflow."""

from typing import Any, Unpack

from trainsmith.training._config import WorkflowConfig
from trainsmith.training._element import T
from trainsmith.training._graph import Graph
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._protocols_model import Trainer
from trainsmith.training.loop import TrainerLearner
from trainsmith.training.workflows._base import LoopWorkflow, RunOptions, same_kind, set_rate


class TrainerWorkflowAdapter(LoopWorkflow[T]):
    """Makes a `TrainingWorkflow` of a trainer and an optimizer.

    Args:
        trainer: does the steps.
        optimizer: an optimizer, or a function of parameters that makes one. An optimizer of other parameters than the
            new model's serves as a pattern: one of its kind and options is made. The rate is the configuration's.
        loss: output and targets to the mean loss, for trainers without `evaluate_step`.
        options: `loop`, `callbacks`, `checkpoints`, `resume`, `metrics` and `computer`; see `LoopWorkflow`.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn, optim
        >>> from trainsmith.training import (
        ...     ArrayDataProvider, BatchConfig, DefaultTrainer, Graph, TrainerWorkflowAdapter, WorkflowConfig,
        ... )
        >>> class Lines:
        ...     def create_model(self, config, *, ctx=None):
        ...         return Graph(nn.Linear(1, 1))
        >>> x = np.random.default_rng(0).normal(size=(80, 1)).astype("float32")
        >>> data = ArrayDataProvider(x[:60], 2 * x[:60], validation=(x[60:], 2 * x[60:]))
        >>> trainer = DefaultTrainer(None, nn.MSELoss())
        >>> workflow = TrainerWorkflowAdapter(trainer, optim.Adam(nn.Linear(1, 1).parameters()))
        >>> workflow.initialize(
        ...     WorkflowConfig(
        ...         num_epochs=200, learning_rate=0.05, max_no_improve=5, batch_config=BatchConfig(batch_size=16)
        ...     )
        ... )
        >>> result = workflow.train(data, Lines())
        >>> result.status, result.best_loss < 1e-2, workflow.validate(data, Lines()).sample_count
        ('early_stopped', True, 20)
    """

    def __init__(
        self,
        trainer: Trainer,
        optimizer: Any,
        *,
        loss: Any = None,
        **options: Unpack[RunOptions],
    ) -> None:
        super().__init__(**options)
        self._trainer = trainer
        self._optimizer = optimizer
        self._loss = loss

    def make_learner(self, graph: Graph, dataset: DataProvider[T], config: WorkflowConfig) -> TrainerLearner:
        """Joins trainer, model and optimizer; see `LoopWorkflow.make_learner`."""
        optimizer = same_kind(self._optimizer, graph)
        set_rate(optimizer, config.learning_rate)
        return TrainerLearner(self._trainer, graph, optimizer, loss=self._loss)
