"""Learning-rate schedulers; names and arguments are torch's."""

from trainsmith.optim.lr_scheduler._cosine import CosineAnnealingLR
from trainsmith.optim.lr_scheduler._linear import LinearLR
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler
from trainsmith.optim.lr_scheduler._sequential import SequentialLR
from trainsmith.optim.lr_scheduler._step import StepLR

__all__ = ["CosineAnnealingLR", "LRScheduler", "LinearLR", "SequentialLR", "StepLR"]
