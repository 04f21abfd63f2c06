"""Training workflows: configurations, data preparation, the loop, early stopping and artefacts."""

from trainsmith.training._array_provider import ArrayDataProvider
from trainsmith.training._arrays import Arrays
from trainsmith.training._artefact import Artefact, Predictions, load_artefact, save_artefact
from trainsmith.training._batch import Batch
from trainsmith.training._builtins import Float32Registry, Float64Registry
from trainsmith.training._chunked_iterator import ChunkedDataIterator, ChunkLoader
from trainsmith.training._config import BatchConfig, ModelConfig, SplitConfig, WorkflowConfig
from trainsmith.training._context import RunContext, StopFlag
from trainsmith.training._cross_validation import CrossValidation, cross_validate
from trainsmith.training._cross_validator import DefaultCrossValidator
from trainsmith.training._dispatch import dispatch_train, dispatch_train_windowed
from trainsmith.training._early_stopping import EarlyStopConfig, EarlyStopping
from trainsmith.training._element import Float32, Float64
from trainsmith.training._experiment_config import CVConfig, SequenceConfig, TrainConfig
from trainsmith.training._fit import fit
from trainsmith.training._graph import Graph
from trainsmith.training._input import Input
from trainsmith.training._interrupt import stop_on_interrupt
from trainsmith.training._iterator_adapter import DataIteratorAdapter
from trainsmith.training._job import JobOutcome, run_job
from trainsmith.training._job_config import JobConfig
from trainsmith.training._job_folds import JobFolds, cross_validate_job
from trainsmith.training._metric_computer import DefaultMetricComputer
from trainsmith.training._model_provider import SimpleModelProvider
from trainsmith.training._plugin_registry import (
    CrossValidatorFactory,
    DataProviderFactory,
    MetricComputerFactory,
    ModelProviderFactory,
    PluginRegistry,
    SequenceProviderFactory,
    WorkflowFactory,
)
from trainsmith.training._prepare import Prepared, prepare
from trainsmith.training._protocols_backend import Backend, Predictor, WindowedBackend, WindowedPredictor
from trainsmith.training._protocols_data import DataIterator, DataProvider, ResumableIterator, SequenceProvider
from trainsmith.training._protocols_model import GradientStrategy, Model, Trainer
from trainsmith.training._protocols_validation import CrossValidator, Executor, Fold, MetricComputer, MetricFunction
from trainsmith.training._protocols_workflow import ModelProvider, TrainingWorkflow
from trainsmith.training._registry import PluginWarning
from trainsmith.training._result import CVResult, EpochRecord, ModelInfo, TrainingResult, TrainResult, ValidationResult
from trainsmith.training._sections import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, WindowsConfig
from trainsmith.training._sequences import DefaultSequenceProvider
from trainsmith.training._serial_executor import SerialExecutor
from trainsmith.training._spawn_executor import SpawnExecutor
from trainsmith.training._trainer import DefaultTrainer, Evaluation
from trainsmith.training._window_provider import WindowDataProvider
from trainsmith.training._window_sizes import parse_window_sizes
from trainsmith.training._windows import LeakWarning, create_windows
from trainsmith.training.checkpoints import Checkpoint, CheckpointConfig, CheckpointStore, CheckpointWarning
from trainsmith.training.loop import Callback, LoopConfig, TrainingLoop
from trainsmith.training.strategies._adapter import GradientStrategyAdapter
from trainsmith.training.strategies._backprop import DefaultBackpropStrategy
from trainsmith.training.strategies._one_step import OneStepApproximationStrategy
from trainsmith.training.workflows import LoopWorkflow, StandardWorkflow, TrainerWorkflowAdapter

__all__ = [
    "ArrayDataProvider",
    "Arrays",
    "Artefact",
    "Backend",
    "Batch",
    "BatchConfig",
    "CVConfig",
    "CVResult",
    "Callback",
    "Checkpoint",
    "CheckpointConfig",
    "CheckpointStore",
    "CheckpointWarning",
    "ChunkLoader",
    "ChunkedDataIterator",
    "CrossValidation",
    "CrossValidator",
    "CrossValidatorFactory",
    "DataConfig",
    "DataIterator",
    "DataIteratorAdapter",
    "DataProvider",
    "DataProviderFactory",
    "DefaultBackpropStrategy",
    "DefaultCrossValidator",
    "DefaultMetricComputer",
    "DefaultSequenceProvider",
    "DefaultTrainer",
    "EarlyStopConfig",
    "EarlyStopping",
    "EpochRecord",
    "Evaluation",
    "Executor",
    "Float32",
    "Float32Registry",
    "Float64",
    "Float64Registry",
    "Fold",
    "GradientStrategy",
    "GradientStrategyAdapter",
    "Graph",
    "Input",
    "JobConfig",
    "JobFolds",
    "JobOutcome",
    "LeakWarning",
    "LoopConfig",
    "LoopWorkflow",
    "MetricComputer",
    "MetricComputerFactory",
    "MetricFunction",
    "Model",
    "ModelConfig",
    "ModelInfo",
    "ModelProvider",
    "ModelProviderFactory",
    "OneStepApproximationStrategy",
    "OptimizerConfig",
    "PluginRegistry",
    "PluginWarning",
    "Predictions",
    "Predictor",
    "Prepared",
    "ResumableIterator",
    "RunConfig",
    "RunContext",
    "ScheduleConfig",
    "SequenceConfig",
    "SequenceProvider",
    "SequenceProviderFactory",
    "SerialExecutor",
    "SimpleModelProvider",
    "SpawnExecutor",
    "SplitConfig",
    "StandardWorkflow",
    "StopFlag",
    "TrainConfig",
    "TrainResult",
    "Trainer",
    "TrainerWorkflowAdapter",
    "TrainingLoop",
    "TrainingResult",
    "TrainingWorkflow",
    "ValidationResult",
    "WindowDataProvider",
    "WindowedBackend",
    "WindowedPredictor",
    "WindowsConfig",
    "WorkflowConfig",
    "WorkflowFactory",
    "create_windows",
    "cross_validate",
    "cross_validate_job",
    "dispatch_train",
    "dispatch_train_windowed",
    "fit",
    "load_artefact",
    "parse_window_sizes",
    "prepare",
    "run_job",
    "save_artefact",
    "stop_on_interrupt",
]
