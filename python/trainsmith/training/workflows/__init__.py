"""Workflows: a whole training behind one call, all on the one loop."""

from trainsmith.training.workflows._adapter import TrainerWorkflowAdapter
from trainsmith.training.workflows._base import LoopWorkflow
from trainsmith.training.workflows._standard import StandardWorkflow

__all__ = ["LoopWorkflow", "StandardWorkflow", "TrainerWorkflowAdapter"]
