"""Networks as black boxes: train from rows or windows, predict from the saved file."""

from trainsmith.training.backends._tabular import MLPBackend, ResNetBackend
from trainsmith.training.backends._windowed import DLinearBackend, LSTMBackend

__all__ = ["DLinearBackend", "LSTMBackend", "MLPBackend", "ResNetBackend"]
