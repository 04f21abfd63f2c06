"""Functions of tensors that networks are made of; names and arguments are torch's, with `axis` for `dim`."""

from trainsmith.nn.functional._adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from trainsmith.nn.functional._attention import rotary, scaled_dot_product_attention, sinusoidal_positions
from trainsmith.nn.functional._avg_pool import avg_pool1d, avg_pool2d, avg_pool3d
from trainsmith.nn.functional._bag import bilinear, embedding_bag
from trainsmith.nn.functional._binary_loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from trainsmith.nn.functional._classes_loss import (
    cross_entropy,
    focal_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    nll_loss,
)
from trainsmith.nn.functional._conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from trainsmith.nn.functional._convolve import conv1d, conv2d, conv3d
from trainsmith.nn.functional._distance import cosine_similarity, normalize, pairwise_distance
from trainsmith.nn.functional._dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from trainsmith.nn.functional._embedding_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from trainsmith.nn.functional._exponential import celu, elu, logsigmoid, selu, sigmoid, softplus, tanh
from trainsmith.nn.functional._gate import gelu, glu, hardsigmoid, hardswish, mish, silu
from trainsmith.nn.functional._likelihood_loss import gaussian_nll_loss, kl_div, poisson_nll_loss
from trainsmith.nn.functional._linear import embedding, linear, one_hot
from trainsmith.nn.functional._max_pool import max_pool1d, max_pool2d, max_pool3d
from trainsmith.nn.functional._normalise import batch_norm, layer_norm
from trainsmith.nn.functional._normalise_groups import group_norm, instance_norm, rms_norm
from trainsmith.nn.functional._order_loss import correlation_loss, routing_diversity_loss, sharpe_loss, spearman_loss
from trainsmith.nn.functional._pad import pad
from trainsmith.nn.functional._rectify import hardtanh, leaky_relu, prelu, relu, relu6, rrelu, threshold
from trainsmith.nn.functional._regression_loss import huber_loss, l1_loss, mse_loss, quantile_loss, smooth_l1_loss
from trainsmith.nn.functional._resize import interpolate, pixel_shuffle, pixel_unshuffle
from trainsmith.nn.functional._sequence_loss import ctc_loss
from trainsmith.nn.functional._shrink import hardshrink, softshrink, softsign, tanhshrink
from trainsmith.nn.functional._softmax import log_softmax, logsumexp, softmax, softmin

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "correlation_loss",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "focal_loss",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "quantile_loss",
    "relu",
    "relu6",
    "rms_norm",
    "rotary",
    "routing_diversity_loss",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sharpe_loss",
    "sigmoid",
    "silu",
    "sinusoidal_positions",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "spearman_loss",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]
