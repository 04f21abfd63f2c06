"""Layers, losses and what they are made of; names, arguments and state keys are torch's."""

from trainsmith.nn import functional, init, utils
from trainsmith.nn._activation import GELU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh
from trainsmith.nn._bag import Bilinear, EmbeddingBag
from trainsmith.nn._batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from trainsmith.nn._cells import GRUCell, LSTMCell, RNNCell
from trainsmith.nn._container import Sequential
from trainsmith.nn._conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from trainsmith.nn._convolution import Conv1d, Conv2d, Conv3d
from trainsmith.nn._dropout import Dropout
from trainsmith.nn._embedding import Embedding
from trainsmith.nn._flatten import Flatten, Unflatten
from trainsmith.nn._group_norm import GroupNorm, RMSNorm
from trainsmith.nn._instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from trainsmith.nn._linear import Identity, Linear
from trainsmith.nn._lists import ModuleDict, ModuleList, ParameterDict, ParameterList
from trainsmith.nn._loss import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from trainsmith.nn._module import Module
from trainsmith.nn._normalisation import LayerNorm
from trainsmith.nn._padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
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
from trainsmith.nn._recurrent import GRU, LSTM, RNN
from trainsmith.nn._resize import PixelShuffle, PixelUnshuffle, Upsample

__all__ = [
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
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
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Unflatten",
    "Upsample",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "functional",
    "init",
    "utils",
]
