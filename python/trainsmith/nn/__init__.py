"""Layers, losses and what they are made of; names, arguments and state keys are torch's."""

from trainsmith.nn import functional, init, utils
from trainsmith.nn._activation import GELU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh
from trainsmith.nn._container import Sequential
from trainsmith.nn._convolution import Conv1d, Conv2d, Conv3d
from trainsmith.nn._dropout import Dropout
from trainsmith.nn._embedding import Embedding
from trainsmith.nn._flatten import Flatten
from trainsmith.nn._linear import Identity, Linear
from trainsmith.nn._loss import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from trainsmith.nn._module import Module
from trainsmith.nn._normalisation import BatchNorm1d, LayerNorm
from trainsmith.nn._parameter import Buffer, Parameter
from trainsmith.nn._pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)

__all__ = [
    "GELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "init",
    "utils",
]
