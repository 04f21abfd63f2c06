"""Optimizers and learning-rate schedulers; names, arguments and state keys are torch's."""

from trainsmith.optim import lr_scheduler
from trainsmith.optim._adamw import AdamW
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim._param_group import ParamGroup
from trainsmith.optim._sgd import SGD

__all__ = ["SGD", "AdamW", "Optimizer", "ParamGroup", "lr_scheduler"]
