"""Functions of tensors that networks are made of; names and arguments are torch's, with `axis` for `dim`."""

from trainsmith.nn.functional._activation import gelu, log_softmax, logsumexp, relu, sigmoid, silu, softmax, tanh
from trainsmith.nn.functional._adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from trainsmith.nn.functional._avg_pool import avg_pool1d, avg_pool2d, avg_pool3d
from trainsmith.nn.functional._bag import bilinear, embedding_bag
from trainsmith.nn.functional._conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from trainsmith.nn.functional._convolve import conv1d, conv2d, conv3d
from trainsmith.nn.functional._linear import embedding, linear, one_hot
from trainsmith.nn.functional._loss import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from trainsmith.nn.functional._max_pool import max_pool1d, max_pool2d, max_pool3d
from trainsmith.nn.functional._normalise import batch_norm, layer_norm
from trainsmith.nn.functional._normalise_groups import group_norm, instance_norm, rms_norm
from trainsmith.nn.functional._pad import pad
from trainsmith.nn.functional._regularise import dropout
from trainsmith.nn.functional._resize import interpolate, pixel_shuffle, pixel_unshuffle

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "dropout",
    "embedding",
    "embedding_bag",
    "gelu",
    "group_norm",
    "instance_norm",
    "interpolate",
    "layer_norm",
    "linear",
    "log_softmax",
    "logsumexp",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "mse_loss",
    "one_hot",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "relu",
    "rms_norm",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
