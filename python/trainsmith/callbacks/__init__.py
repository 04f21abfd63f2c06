"""Callbacks: what watches and steers a run; and what is asked once before one: a summary, the learning rate."""

from trainsmith.callbacks._display import Display
from trainsmith.callbacks._early_stopping import EarlyStop
from trainsmith.callbacks._gradient_norm import GradientNorms
from trainsmith.callbacks._progress import ProgressBar
from trainsmith.callbacks._rate_finder import RateCurve, find_learning_rate
from trainsmith.callbacks._summary import LayerSummary, ModelSummary, summarize
from trainsmith.training.loop import Callback

__all__ = [
    "Callback",
    "Display",
    "EarlyStop",
    "GradientNorms",
    "LayerSummary",
    "ModelSummary",
    "ProgressBar",
    "RateCurve",
    "find_learning_rate",
    "summarize",
]
