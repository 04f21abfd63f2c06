"""Ways to compute gradients, which compose: one strategy goes around another."""

from trainsmith.training.strategies._abstract import AbstractStrategy
from trainsmith.training.strategies._accumulation import AccumulationStrategy
from trainsmith.training.strategies._auxiliary import AuxiliaryLossStrategy
from trainsmith.training.strategies._clipping import ClippingStrategy
from trainsmith.training.strategies._loss_scaler import LossScaler, ScaledLoss
from trainsmith.training.strategies._mixed_precision import MixedPrecisionStrategy
from trainsmith.training.strategies._through_time import BackpropThroughTimeStrategy
from trainsmith.training.strategies._wrapper import AbstractWrapper

__all__ = [
    "AbstractStrategy",
    "AbstractWrapper",
    "AccumulationStrategy",
    "AuxiliaryLossStrategy",
    "BackpropThroughTimeStrategy",
    "ClippingStrategy",
    "LossScaler",
    "MixedPrecisionStrategy",
    "ScaledLoss",
]
