"""What runs a whole training: the workflow and the source of its models."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Protocol, runtime_checkable

from trainsmith.training._config import ModelConfig, WorkflowConfig
from trainsmith.training._context import RunContext
from trainsmith.training._element import T_co, T_contra
from trainsmith.training._protocols_data import DataProvider
from trainsmith.training._result import ModelInfo, TrainingResult, ValidationResult


@runtime_checkable
class ModelProvider(Protocol[T_co]):
    """Makes, loads and saves models. Laws: `trainsmith.testing.check_model_provider`."""

    def create_model(self, config: ModelConfig, *, ctx: RunContext | None = None) -> Any:
        """Makes a new model.

        Args:
            config: which model.
            ctx: may end the work before it starts.

        Returns:
            The model's graph.
        """
        ...

    def load_model(self, path: str | PathLike[str], *, ctx: RunContext | None = None) -> Any:
        """Loads a saved model.

        Args:
            path: where `save_model` put it.
            ctx: may end the work before it starts.

        Returns:
            The model's graph, with the weights that were saved.
        """
        ...

    def save_model(self, model: Any, path: str | PathLike[str], *, ctx: RunContext | None = None) -> None:
        """Saves a model, whole or not at all.

        Args:
            model: a graph that this provider made or loaded.
            path: where to put it.
            ctx: may end the work before it starts.
        """
        ...

    def get_model_info(self) -> ModelInfo:
        """Returns what is known about the models that this provider makes."""
        ...


@runtime_checkable
class TrainingWorkflow(Protocol[T_contra]):
    """Runs a whole training. Laws: `trainsmith.testing.check_training_workflow`."""

    def initialize(self, config: WorkflowConfig, *, ctx: RunContext | None = None) -> None:
        """Takes the configuration; called before anything else.

        Args:
            config: how to train.
            ctx: may end the work before it starts.
        """
        ...

    def train(
        self, dataset: DataProvider[T_contra], model_provider: ModelProvider[T_contra], *, ctx: RunContext | None = None
    ) -> TrainingResult:
        """Trains a new model.

        Args:
            dataset: training rows, and validation rows to stop by where it has them.
            model_provider: makes the model.
            ctx: ends training after the current step once it is done.

        Returns:
            The outcome.
        """
        ...

    def validate(
        self, dataset: DataProvider[T_contra], model_provider: ModelProvider[T_contra], *, ctx: RunContext | None = None
    ) -> ValidationResult:
        """Measures the trained model on the validation rows; changes no weight.

        Args:
            dataset: its validation rows are measured.
            model_provider: the one that training used.
            ctx: may end the work early.

        Returns:
            The outcome. `extensions["predictions"]`, where there is one, has a prediction per validation row, in order.
        """
        ...

    def get_metrics(self) -> Mapping[str, Any]:
        """Returns the metrics so far; changing the result changes nothing."""
        ...

    def shutdown(self, *, ctx: RunContext | None = None) -> None:
        """Releases what the workflow holds. Calling it twice is fine.

        Args:
            ctx: a deadline for the clean-up.
        """
        ...
