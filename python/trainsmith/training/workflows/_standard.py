"""The built-in workflow `standard`."""

from collections.abc import Callable
from typing import Any, Literal, Unpack

from trainsmith import optim
from trainsmith.training._config import WorkflowConfig
from trainsmith.training._element import T
from trainsmith.training._graph import Graph
from trainsmith.training._optimization import make_optimizer, make_scheduler
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._protocols_model import GradientStrategy
from trainsmith.training._sections import OptimizerConfig, ScheduleConfig
from trainsmith.training._trainer import DefaultTrainer
from trainsmith.training.loop import Averaging, Scheduling, TrainerLearner
from trainsmith.training.workflows._base import LoopWorkflow, RunOptions, loss_of, same_kind, set_rate


class StandardWorkflow(LoopWorkflow[T]):
    """Trains with `DefaultTrainer`: gradients, update and average of the weights are one captured step.

    Args:
        loss: a loss; None for cross-entropy where the data say `task = "classification"`, else the squared error.
        optimizer: which one; or a function of parameters that makes one. AdamW by default.
        schedule: the rate over the epochs; or a function of an optimizer that makes a scheduler. Constant by default.
        schedule_per: `epoch` or `step`: when a scheduler that such a function made goes on.
        strategy: computes the gradients; plain back-propagation by default.
        average: `ema`, an exponential average over the steps, or `swa`, the mean over the epochs; None for no average.
        average_decay: of `ema`, in [0, 1].
        average_start: epochs done before the first update of `swa`.
        gradient_norm: whether to keep the norm of the gradients, for `callbacks.GradientNorms`.
        options: `loop`, `callbacks`, `checkpoints`, `resume`, `metrics` and `computer`; see `LoopWorkflow`.

    Example:
        >>> import numpy as np
        >>> from trainsmith import nn
        >>> from trainsmith.training import ArrayDataProvider, BatchConfig, StandardWorkflow, WorkflowConfig
        >>> class Lines:
        ...     def create_model(self, config, *, ctx=None):
        ...         return nn.Linear(1, 1)
        >>> x = np.random.default_rng(0).normal(size=(80, 1)).astype("float32")
        >>> data = ArrayDataProvider(x[:60], 2 * x[:60], validation=(x[60:], 2 * x[60:]))
        >>> workflow = StandardWorkflow(metrics=["r2"], average="ema", average_decay=0.9)
        >>> batches = BatchConfig(batch_size=16)
        >>> workflow.initialize(WorkflowConfig(num_epochs=50, learning_rate=0.05, batch_config=batches))
        >>> result = workflow.train(data, Lines())
        >>> result.metrics["validation_r2"] > 0.9, type(result.model).__name__
        (True, 'Graph')
    """

    def __init__(
        self,
        *,
        loss: Any = None,
        optimizer: OptimizerConfig | Callable[..., Any] | None = None,
        schedule: ScheduleConfig | Callable[[Any], Any] | None = None,
        schedule_per: Literal["epoch", "step"] = "epoch",
        strategy: GradientStrategy | None = None,
        average: Literal["ema", "swa"] | None = None,
        average_decay: float = 0.999,
        average_start: int = 0,
        gradient_norm: bool = False,
        **options: Unpack[RunOptions],
    ) -> None:
        super().__init__(**options)
        self._loss = loss
        self._optimizer = optimizer or OptimizerConfig()
        self._schedule = schedule or ScheduleConfig()
        self._schedule_per: Literal["epoch", "step"] = schedule_per
        self._strategy = strategy
        self._average = average
        self._average_decay = average_decay
        self._average_start = average_start
        self._gradient_norm = gradient_norm
        self._averaging: Averaging | None = None

    def make_learner(self, graph: Graph, dataset: DataProvider[T], config: WorkflowConfig) -> TrainerLearner:
        """Makes optimizer and trainer; see `LoopWorkflow.make_learner`."""
        if isinstance(self._optimizer, OptimizerConfig):
            optimizer = make_optimizer(self._optimizer, graph.parameters(), config.learning_rate)
        else:
            optimizer = same_kind(self._optimizer, graph)
            set_rate(optimizer, config.learning_rate)
        self._averaging = self._averages(graph)
        inside = self._averaging is not None and self._averaging.per == "inside"
        trainer = DefaultTrainer(
            graph,
            loss_of(self._loss, dataset.get_metadata()),
            optimizer,
            self._strategy,
            after_step=[self._averaging.average.update] if self._averaging is not None and inside else (),
            gradient_norm=self._gradient_norm,
        )
        return TrainerLearner(trainer, graph, optimizer)

    def make_schedule(self, optimizer: Any, config: WorkflowConfig) -> Scheduling | None:
        """Makes the schedule; see `LoopWorkflow.make_schedule`."""
        if isinstance(self._schedule, ScheduleConfig):
            scheduler = make_scheduler(self._schedule, optimizer, config.num_epochs)
            return None if scheduler is None else Scheduling(scheduler=scheduler)
        return Scheduling(scheduler=self._schedule(optimizer), per=self._schedule_per)

    def make_averaging(self) -> Averaging | None:
        """Returns the average that belongs to the learner."""
        return self._averaging

    def _averages(self, graph: Graph) -> Averaging | None:
        if self._average == "ema":
            return Averaging(average=optim.EMA(graph.parameters(), self._average_decay), per="inside")
        if self._average == "swa":
            return Averaging(average=optim.SWA(graph.parameters()), per="epoch", start_epoch=self._average_start)
        return None
