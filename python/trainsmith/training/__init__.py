"""Training workflows: configurations, data preparation, the loop, early stopping and artefacts."""

from trainsmith.training._arrays import Arrays
from trainsmith.training._artefact import Artefact, Predictions, load_artefact, save_artefact
from trainsmith.training._config import BatchConfig, ModelConfig, SplitConfig, WorkflowConfig
from trainsmith.training._early_stopping import EarlyStopping, EarlyStoppingConfig
from trainsmith.training._fit import fit
from trainsmith.training._interrupt import stop_on_interrupt
from trainsmith.training._job import JobOutcome, run_job
from trainsmith.training._job_config import JobConfig
from trainsmith.training._prepare import Prepared, prepare
from trainsmith.training._result import EpochRecord, TrainingResult
from trainsmith.training._sections import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig

__all__ = [
    "Arrays",
    "Artefact",
    "BatchConfig",
    "DataConfig",
    "EarlyStopping",
    "EarlyStoppingConfig",
    "EpochRecord",
    "JobConfig",
    "JobOutcome",
    "ModelConfig",
    "OptimizerConfig",
    "Predictions",
    "Prepared",
    "RunConfig",
    "ScheduleConfig",
    "SplitConfig",
    "TrainingResult",
    "WorkflowConfig",
    "fit",
    "load_artefact",
    "prepare",
    "run_job",
    "save_artefact",
    "stop_on_interrupt",
]
