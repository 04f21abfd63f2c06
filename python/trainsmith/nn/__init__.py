"""Layers, losses and what they are made of; names, arguments and state keys are torch's."""

from trainsmith.nn import functional, init, utils
from trainsmith.nn._attention import MultiheadAttention
from trainsmith.nn._bag import Bilinear, EmbeddingBag
from trainsmith.nn._batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from trainsmith.nn._binary_loss import BCELoss, BCEWithLogitsLoss, MultiLabelSoftMarginLoss, SoftMarginLoss
from trainsmith.nn._cells import GRUCell, LSTMCell, RNNCell
from trainsmith.nn._classes_loss import CrossEntropyLoss, FocalLoss, MultiLabelMarginLoss, MultiMarginLoss, NLLLoss
from trainsmith.nn._container import Sequential
from trainsmith.nn._conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from trainsmith.nn._convolution import Conv1d, Conv2d, Conv3d
from trainsmith.nn._distance import CosineSimilarity, PairwiseDistance
from trainsmith.nn._dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from trainsmith.nn._embedding import Embedding
from trainsmith.nn._embedding_loss import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from trainsmith.nn._exponential import CELU, ELU, SELU, LogSigmoid, Sigmoid, Softplus, Tanh
from trainsmith.nn._flatten import Flatten, Unflatten
from trainsmith.nn._gate import GELU, GLU, Hardsigmoid, Hardswish, Mish, SiLU
from trainsmith.nn._group_norm import GroupNorm, RMSNorm
from trainsmith.nn._instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from trainsmith.nn._likelihood_loss import GaussianNLLLoss, KLDivLoss, PoissonNLLLoss
from trainsmith.nn._linear import Identity, Linear
from trainsmith.nn._lists import ModuleDict, ModuleList, ParameterDict, ParameterList
from trainsmith.nn._module import Module
from trainsmith.nn._normalisation import LayerNorm
from trainsmith.nn._order_loss import CorrelationLoss, RoutingDiversityLoss, SharpeLoss, SpearmanLoss
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
from trainsmith.nn._positions import RotaryEmbedding, SinusoidalPositions
from trainsmith.nn._rectifier import Hardtanh, LeakyReLU, PReLU, ReLU, ReLU6, RReLU, Threshold
from trainsmith.nn._recurrent import GRU, LSTM, RNN
from trainsmith.nn._regression_loss import HuberLoss, L1Loss, MSELoss, QuantileLoss, SmoothL1Loss
from trainsmith.nn._resize import (
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
    UpsamplingBilinear2d,
    UpsamplingNearest2d,
)
from trainsmith.nn._sequence_loss import CTCLoss
from trainsmith.nn._shrink import Hardshrink, Softshrink, Softsign, Tanhshrink
from trainsmith.nn._softmax import LogSoftmax, Softmax, Softmax2d, Softmin
from trainsmith.nn._transformer import TransformerDecoderLayer, TransformerEncoderLayer
from trainsmith.nn._transformer_stack import Transformer, TransformerDecoder, TransformerEncoder

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CTCLoss",
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
    "CorrelationLoss",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "EmbeddingBag",
    "FeatureAlphaDropout",
    "Flatten",
    "FocalLoss",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "QuantileLoss",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "RotaryEmbedding",
    "RoutingDiversityLoss",
    "Sequential",
    "SharpeLoss",
    "SiLU",
    "Sigmoid",
    "SinusoidalPositions",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SpearmanLoss",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unflatten",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "functional",
    "init",
    "utils",
]
