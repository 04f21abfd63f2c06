"""Models for tables and for windows of time series, by type and architecture."""

from trainsmith.models._create import (
    complete_architecture,
    complete_windowed_architecture,
    create_model,
    create_windowed_model,
)
from trainsmith.models._dlinear import DLinear, DLinearArchitecture
from trainsmith.models._lstm import LSTMArchitecture, LSTMModel
from trainsmith.models._mlp import MLPArchitecture, mlp
from trainsmith.models._resnet import ResidualBlock, ResNetArchitecture, resnet

__all__ = [
    "DLinear",
    "DLinearArchitecture",
    "LSTMArchitecture",
    "LSTMModel",
    "MLPArchitecture",
    "ResNetArchitecture",
    "ResidualBlock",
    "complete_architecture",
    "complete_windowed_architecture",
    "create_model",
    "create_windowed_model",
    "mlp",
    "resnet",
]
