"""Training workflows: configurations, data preparation, the loop, early stopping and artefacts."""

from trainsmith.training._arrays import Arrays
from trainsmith.training._artefact import Artefact, Predictions, load_artefact, save_artefact
from trainsmith.training._batch import Batch
from trainsmith.training._config import BatchConfig, ModelConfig, SplitConfig, WorkflowConfig
from trainsmith.training._context import RunContext, StopFlag
from trainsmith.training._early_stopping import EarlyStopping, EarlyStoppingConfig
from trainsmith.training._element import Float32, Float64
from trainsmith.training._experiment_config import CVConfig, SequenceConfig, TrainConfig
from trainsmith.training._fit import fit
from trainsmith.training._interrupt import stop_on_interrupt
from trainsmith.training._job import JobOutcome, run_job
from trainsmith.training._job_config import JobConfig
from trainsmith.training._prepare import Prepared, prepare
from trainsmith.training._result import CVResult, EpochRecord, ModelInfo, TrainingResult, TrainResult, ValidationResult
from trainsmith.training._sections import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig

__all__ = [
    "Arrays",
    "Artefact",
    "Batch",
    "BatchConfig",
    "CVConfig",
    "CVResult",
    "DataConfig",
    "EarlyStopping",
    "EarlyStoppingConfig",
    "EpochRecord",
    "Float32",
    "Float64",
    "JobConfig",
    "JobOutcome",
    "ModelConfig",
    "ModelInfo",
    "OptimizerConfig",
    "Predictions",
    "Prepared",
    "RunConfig",
    "RunContext",
    "ScheduleConfig",
    "SequenceConfig",
    "SplitConfig",
    "StopFlag",
    "TrainConfig",
    "TrainResult",
    "TrainingResult",
    "ValidationResult",
    "WorkflowConfig",
    "fit",
    "load_artefact",
    "prepare",
    "run_job",
    "save_artefact",
    "stop_on_interrupt",
]
