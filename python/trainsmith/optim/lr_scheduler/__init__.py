"""Learning-rate schedulers; names and arguments are torch's."""

from trainsmith.optim.lr_scheduler._chained import ChainedScheduler
from trainsmith.optim.lr_scheduler._constant import ConstantLR
from trainsmith.optim.lr_scheduler._cosine import CosineAnnealingLR
from trainsmith.optim.lr_scheduler._cyclic import CyclicLR
from trainsmith.optim.lr_scheduler._exponential import ExponentialLR
from trainsmith.optim.lr_scheduler._inverse_sqrt import InverseSqrtLR
from trainsmith.optim.lr_scheduler._lambda import LambdaLR
from trainsmith.optim.lr_scheduler._linear import LinearLR
from trainsmith.optim.lr_scheduler._linear_warmup import LinearWarmup
from trainsmith.optim.lr_scheduler._multi_step import MultiStepLR
from trainsmith.optim.lr_scheduler._multiplicative import MultiplicativeLR
from trainsmith.optim.lr_scheduler._one_cycle import OneCycleLR
from trainsmith.optim.lr_scheduler._plateau import ReduceLROnPlateau
from trainsmith.optim.lr_scheduler._polynomial import PolynomialLR
from trainsmith.optim.lr_scheduler._scheduler import LRScheduler
from trainsmith.optim.lr_scheduler._sequential import SequentialLR
from trainsmith.optim.lr_scheduler._stable import WarmupStableDecayLR
from trainsmith.optim.lr_scheduler._step import StepLR
from trainsmith.optim.lr_scheduler._warm_restarts import CosineAnnealingWarmRestarts

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "LinearWarmup",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "WarmupStableDecayLR",
]
