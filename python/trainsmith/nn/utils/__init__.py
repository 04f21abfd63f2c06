"""Helpers for gradients and parameters."""

from trainsmith.nn.utils import parametrizations, rnn
from trainsmith.nn.utils._clip import clip_grad_norm_, clip_grad_value_
from trainsmith.nn.utils._vector import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "parametrizations",
    "rnn",
    "vector_to_parameters",
]
