"""Checkpoints: folders that appear whole or not at all, hashed, with nothing in them that runs."""

from trainsmith.training.checkpoints._config import CheckpointConfig
from trainsmith.training.checkpoints._read import Checkpoint, CheckpointWarning, read_checkpoint
from trainsmith.training.checkpoints._store import CheckpointStore
from trainsmith.training.checkpoints._write import write_checkpoint

__all__ = [
    "Checkpoint",
    "CheckpointConfig",
    "CheckpointStore",
    "CheckpointWarning",
    "read_checkpoint",
    "write_checkpoint",
]
