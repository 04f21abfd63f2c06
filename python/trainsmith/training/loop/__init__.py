"""The training loop and its pieces, for those who build a workflow of their own."""

from trainsmith.training.loop._callback import Callback
from trainsmith.training.loop._config import LoopConfig
from trainsmith.training.loop._evaluation import BatchValidation, Validate, validate_function
from trainsmith.training.loop._learner import Learner, TrainerLearner
from trainsmith.training.loop._loop import TrainingLoop
from trainsmith.training.loop._pieces import Averaging, Scheduling
from trainsmith.training.loop._progress import Best, Progress
from trainsmith.training.loop._tuning import TuningWarning

__all__ = [
    "Averaging",
    "BatchValidation",
    "Best",
    "Callback",
    "Learner",
    "LoopConfig",
    "Progress",
    "Scheduling",
    "TrainerLearner",
    "TrainingLoop",
    "TuningWarning",
    "Validate",
    "validate_function",
]
